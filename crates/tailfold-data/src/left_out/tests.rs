use super::*;

#[test]
fn files_are_counted_by_folder_and_kind() {
    let mut left_out = LeftOut::default();
    assert!(left_out.is_empty());
    for (folder, path) in [
        ("ant", "ant/a.HEIC"),
        ("ant", "ant/b.heic"),
        ("ant", "ant/README"),
        ("bee", "bee/._a.png"),
        ("bee", "bee/c.heic"),
    ] {
        left_out.count(folder, Path::new(path));
    }
    assert_eq!(left_out.to_string(), "3 .heic, 1 hidden, 1 no ending");
    assert_eq!(left_out.of_folder("ant").unwrap(), "2 .heic, 1 no ending");
    assert_eq!(left_out.of_folder("cat"), None);
    assert_eq!(
        left_out.without_hidden().to_string(),
        "3 .heic, 1 no ending"
    );
    assert_eq!(left_out.folders()["bee"]["hidden"], 1);
}
