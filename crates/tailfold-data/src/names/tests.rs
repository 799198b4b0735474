use super::*;

#[test]
fn hidden_files_and_other_endings_are_not_images() {
    for name in ["a.jpg", "A.JFIF", "b.jpe", "d.e.png"] {
        assert!(is_named_image(Path::new(name)), "{name}");
    }
    for name in ["._a.jpg", ".a.png", "a", "a.txt", "a.heic", "jpg"] {
        assert!(!is_named_image(Path::new(name)), "{name}");
    }
    for name in [
        "__MACOSX",
        "x/Thumbs.db",
        ".ipynb_checkpoints",
        "Desktop.ini",
    ] {
        assert!(is_hidden(Path::new(name)), "{name}");
    }
    assert!(!is_hidden(Path::new(".hidden/a.png")));
    for name in ["x/y.Tiff", "a.tif", "c.gif"] {
        assert_eq!(is_named_image(Path::new(name)), cfg!(feature = "gif-tiff"));
    }
    assert!(!is_hidden(Path::new("..")));
    assert_eq!(ending(Path::new("a.TIFF")), "tiff");
}

#[test]
fn composed_and_decomposed_names_are_equal() {
    assert_eq!(normalised("cafe\u{301}"), "caf\u{e9}");
    assert_eq!(normalised("caf\u{e9}"), "caf\u{e9}");
}
