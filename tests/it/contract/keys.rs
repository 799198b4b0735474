//! `docs/training-keys.md`: every key of a training configuration, as a page.

use crate::generated;
use crate::programs::{finish, run, xtask};

#[test]
fn reference_of_training_keys_is_output_of_program() {
    let page = run("tailfold-train", &["--keys"]).ended_with(0).stdout;
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let keys: Vec<&str> = rows.collect();
    assert!(keys.len() > 70, "only {} keys", keys.len());
    for row in keys {
        let meaning = row.rsplit(" | ").next().unwrap_or_default();
        assert!(
            meaning.trim_end_matches([' ', '|']).len() > 3,
            "no meaning: {row}"
        );
    }
    generated::check("docs/training-keys.md", &page);
}

#[test]
fn schema_of_training_keys_is_json_schema_with_descriptions() {
    let schema = run("tailfold-train", &["--keys", "json"])
        .ended_with(0)
        .json();
    assert!(
        schema["$schema"]
            .as_str()
            .is_some_and(|uri| uri.contains("json-schema.org"))
    );
    let epochs = &schema["properties"]["epochs"];
    assert_eq!(epochs["type"], "integer");
    assert!(epochs["description"].is_string(), "{epochs}");
    assert_eq!(schema["additionalProperties"], false);
}

#[test]
fn xtask_train_lists_keys_without_configuration() {
    let expected = run("tailfold-train", &["--keys"]).ended_with(0).stdout;
    let answer = finish(xtask().args(["train", "--keys"])).ended_with(0);
    assert_eq!(answer.stdout, expected);
}

#[test]
fn list_of_keys_needs_no_configuration_and_takes_none() {
    let answer = run("tailfold-train", &["--keys", "--seed", "1"]).ended_with(2);
    assert!(answer.stderr.contains("--keys"), "{answer:?}");
    let answer = run("tailfold-train", &["--out", "runs/none"]).ended_with(2);
    assert!(answer.stderr.contains("--config"), "{answer:?}");
}
