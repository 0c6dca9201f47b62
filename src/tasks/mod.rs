//! What runs on its own: each task is one `run_once(…) -> Report`.
