use super::*;

fn read(text: &str) -> Result<Prior, PriorError> {
    read_for(text, ["cat", "dog"])
}

fn read_for(text: &str, classes: [&str; 2]) -> Result<Prior, PriorError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("prior.json");
    artifact::write(&path, text.as_bytes()).unwrap();
    Prior::read(&path, &classes.map(str::to_owned))
}

#[test]
fn masses_by_name_are_refused_for_classes_of_one_name() {
    let classes = ["crane", "crane"];
    assert!(read_for("[3, 1]", classes).is_ok());
    let error = read_for(r#"{"crane": 1}"#, classes)
        .unwrap_err()
        .to_string();
    let expect = "gives masses by name, but classes 0 and 1 are both named `crane`: give a list in label order";
    assert!(error.ends_with(expect), "{error}");
}

#[test]
fn list_and_object_are_read_in_label_order() {
    for text in ["[3, 1]", r#"{"dog": 1.0, "cat": 3.0}"#] {
        assert_eq!(read(text).unwrap(), Prior::Masses(vec![3.0, 1.0]));
    }
}

#[test]
fn invalid_prior_error_says_why() {
    let check = |text: &str, expect: &str| {
        let message = read(text).unwrap_err().to_string();
        assert!(message.ends_with(expect), "{message}, expected {expect}");
    };
    check("[3", "prior.json is not JSON");
    check("3", "prior.json is neither a list nor an object of masses");
    check("[3]", "prior.json has 1 masses, the model 2 classes");
    check("[3, null]", "prior.json has no mass for class `dog`");
    check(r#"{"dog": 1}"#, "prior.json has no mass for class `cat`");
    check(
        r#"{"dog": 1, "cat": 1, "cow": 1}"#,
        "prior.json names class `cow`, which the model does not have",
    );
    check(
        r#"{"dog": 1, "cat": 1, "dog": 2}"#,
        "prior.json has more than one mass for class `dog`",
    );
    check(
        "[0, 1]",
        "prior.json gives class `cat` the mass 0, expected a positive number",
    );
    check(
        r#"{"dog": -0.5, "cat": 1.5}"#,
        "prior.json gives class `dog` the mass -0.5, expected a positive number",
    );
    check("[1, NaN]", "prior.json is not JSON");
    check("[1, 1e999]", "prior.json is not JSON");
    check(r#"[1, "2"]"#, "prior.json has no mass for class `dog`");
    let vanishing = read("[1e300, 1e-300]").unwrap_err().to_string();
    assert!(
        vanishing.contains("the mass 1e-300 of 1e300 in all"),
        "{vanishing}"
    );
    let endless = read("[1e308, 1e308]").unwrap_err().to_string();
    assert!(
        endless.contains("the mass 1e308 of inf in all"),
        "{endless}"
    );
    let missing = Prior::read(Path::new("missing.json"), &[]).unwrap_err();
    assert!(missing.to_string().contains("missing.json"), "{missing}");
}
