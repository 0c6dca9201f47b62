//! Floors, sizes and banned names, read from the sources.
