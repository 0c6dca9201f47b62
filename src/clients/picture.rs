//! A picture from a stranger, made anew: decoded within bounds and written as a small PNG, so that nothing of what was sent
//! reaches a browser but its pixels (threat 152). No format that can hold a script is read.

use image::{ImageFormat, ImageReader, Limits};
use std::io::Cursor;

/// The media types that are read; SVG is none of them.
pub(super) const MEDIA_TYPES: &[&str] = &["image/png", "image/jpeg", "image/gif", "image/webp"];

/// No side of what is read is longer, in pixels.
const LONGEST_READ: u32 = 2048;
/// No side of what is written is longer, in pixels.
const LONGEST_WRITTEN: u32 = 256;
/// No picture takes more memory while it is read, in bytes.
const MOST_MEMORY: u64 = 64 * 1024 * 1024;

/// The picture as a PNG, its first frame when it moves; nothing when it is none of that kind, or too large.
pub(super) fn as_png(bytes: &[u8], media_type: &str) -> Option<Vec<u8>> {
    let format = match media_type {
        "image/png" => ImageFormat::Png,
        "image/jpeg" => ImageFormat::Jpeg,
        "image/gif" => ImageFormat::Gif,
        "image/webp" => ImageFormat::WebP,
        _ => return None,
    };
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_READ);
    limits.max_image_height = Some(LONGEST_READ);
    limits.max_alloc = Some(MOST_MEMORY);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let picture = reader.decode().ok()?;
    let picture = match picture.width().max(picture.height()) > LONGEST_WRITTEN {
        true => picture.thumbnail(LONGEST_WRITTEN, LONGEST_WRITTEN),
        false => picture,
    };
    let mut png = Cursor::new(Vec::new());
    picture.into_rgba8().write_to(&mut png, ImageFormat::Png).ok()?;
    Some(png.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{DynamicImage, GenericImageView as _, Rgba, RgbaImage};

    fn picture(width: u32, height: u32) -> DynamicImage {
        RgbaImage::from_pixel(width, height, Rgba([200, 30, 30, 255])).into()
    }

    fn written(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let picture: DynamicImage = match format {
            ImageFormat::Jpeg => picture.to_rgb8().into(),
            _ => picture.to_rgba8().into(),
        };
        picture.write_to(&mut bytes, format).expect("written");
        bytes.into_inner()
    }

    #[test]
    fn every_kind_becomes_a_small_png() {
        let kinds = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP];
        for (kind, media_type) in kinds.into_iter().zip(MEDIA_TYPES) {
            let png = as_png(&written(&picture(600, 300), kind), media_type).expect("a picture");
            let read = image::load_from_memory_with_format(&png, ImageFormat::Png).expect("a PNG");
            assert_eq!(read.dimensions(), (256, 128), "{media_type}");
        }
        let small = as_png(&written(&picture(16, 16), ImageFormat::Png), "image/png").expect("a picture");
        let read = image::load_from_memory_with_format(&small, ImageFormat::Png).expect("a PNG");
        assert_eq!(read.dimensions(), (16, 16));
    }

    // threat 152
    #[test]
    fn what_is_no_picture_or_another_than_it_says_is_refused() {
        let png = written(&picture(16, 16), ImageFormat::Png);
        let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>";
        for (bytes, media_type) in [
            (&svg[..], "image/svg+xml"),
            (&svg[..], "image/png"),
            (&png[..], "image/svg+xml"),
            (&png[..], "image/jpeg"),
            (&png[..20], "image/png"),
            (b"", "image/png"),
            (b"<script>alert(1)</script>", "image/gif"),
        ] {
            assert_eq!(as_png(bytes, media_type), None, "{media_type}");
        }
    }

    // threat 90
    #[test]
    fn a_picture_with_a_side_that_is_too_long_is_refused_before_it_is_read() {
        assert_eq!(as_png(&written(&picture(2049, 1), ImageFormat::Png), "image/png"), None);
        assert_eq!(as_png(&written(&picture(1, 2049), ImageFormat::Gif), "image/gif"), None);
        // A PNG that says of itself that it has 65,535 by 65,535 pixels.
        let mut bomb = written(&picture(16, 16), ImageFormat::Png);
        bomb[16..24].copy_from_slice(&[0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
        assert_eq!(as_png(&bomb, "image/png"), None);
    }

    #[test]
    fn what_stands_beside_the_pixels_is_gone() {
        let mut png = written(&picture(16, 16), ImageFormat::Png);
        png.extend_from_slice(b"<script>alert(1)</script>");
        let made = as_png(&png, "image/png").expect("a picture");
        assert!(!made.windows(8).any(|window| window == b"<script>"));
    }
}
