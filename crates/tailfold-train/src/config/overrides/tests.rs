use std::error::Error as _;

use super::*;
use crate::config::{LossKind, ScheduleConfig};

const TEXT: &str = r#"
name = "file"
data = "embedded"
epochs = 3
batch = 8
loss = "ce"
network = { depth = 8, head = { kind = "linear" } }
optimizer = { learning_rate = 0.1, weight_decay = 0.0 }
views = { classifier = 1 }
contrastive = { weight = 0.5, temperature = 0.1, hidden = 8, out = 4 }
"#;

fn read(given: &[&str]) -> Result<TrainConfig, TrainError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    std::fs::write(&path, TEXT).unwrap();
    let given: Vec<String> = given.iter().map(|&g| g.to_owned()).collect();
    TrainConfig::read_with(&path, &given)
}

#[test]
fn given_values_override_the_file() {
    let plain = read(&[]).unwrap();
    let config = read(&[
        "epochs=200",
        "optimizer.learning_rate = 0.3",
        "schedule.kind=multistep",
        "schedule.milestones=[0.8, 0.9]",
        "schedule.gamma=0.1",
        "validation=embedded?split=val&limit=5",
        "network.head={ kind = \"cosine\", scale = 16.0 }",
        "contrastive=",
        "name=first",
        "name=second",
    ])
    .unwrap();
    assert_eq!(config.epochs, 200);
    assert_eq!(config.optimizer.learning_rate.to_string(), "0.3");
    let milestones = vec![0.8, 0.9];
    assert_eq!(
        config.schedule,
        ScheduleConfig::MultiStep {
            milestones,
            gamma: 0.1
        }
    );
    assert_eq!(
        config.validation.as_deref(),
        Some("embedded?split=val&limit=5")
    );
    assert_eq!(
        config.network.head,
        tailfold_spec::Head::Cosine { scale: 16.0 }
    );
    assert!(plain.contrastive.is_some() && config.contrastive.is_none());
    assert_eq!(config.name, "second");
    // Keys without an override keep their values.
    assert_eq!(config.batch, plain.batch);
    assert_eq!(config.loss, LossKind::Ce);
}

#[test]
fn invalid_override_is_refused() {
    let check = |given: &str, expect: &str| {
        let error = read(&[given]).unwrap_err();
        assert_eq!(error.kind(), TrainErrorKind::Config, "{error}");
        let message = match error.source() {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        };
        assert!(message.contains(expect), "`{expect}` is not in: {message}");
        assert!(
            message.contains(given) || message.contains("expected"),
            "{message}"
        );
    };
    check("epochs", "`epochs`: expected key=value");
    check("=3", "a part of the key is empty");
    check("optimizer.=3", "a part of the key is empty");
    check("epochs.first=3", "`epochs` is a value, not a table");
    check("offsets=", "there is no `offsets` to remove");
    check("epoch=3", "unknown field `epoch`");
    check("epoch=3", "did you mean `epochs`?");
    check("optimizer.rate=3", "unknown field `rate`");
    check("epochs=many", "invalid type: string \"many\"");
    check("epochs=0", "epochs is 0, expected 1 to 100000");
    check("micro_batch=9", "micro_batch is 9, expected 2 to batch");
    check("checkpoint_minutes=nan", "checkpoint_minutes is NaN");
    check("optimizer.sam_rho=0.0", "optimizer.sam_rho is 0");
    check("optimizer.decay=some", "unknown variant `some`");
}
