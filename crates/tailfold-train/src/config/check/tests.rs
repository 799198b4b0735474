use tailfold_spec::{Head, artifact};

use super::*;
use crate::config::{
    ContrastiveKind, FocalConfig, LdamConfig, LogitAdjustmentConfig, TargetMeasure,
};

const BASE: &str = r#"
name = "losses"
data = "embedded"
epochs = 10
batch = 2
loss = "ce"
network = { depth = 8, head = { kind = "cosine", scale = 20.0 } }
optimizer = { learning_rate = 0.1, weight_decay = 0.0 }
views = { classifier = 1 }
"#;

fn read(edit: &str) -> Result<TrainConfig, String> {
    let mut all: toml::Table = toml::from_str(BASE).unwrap();
    all.extend(toml::from_str::<toml::Table>(edit).unwrap());
    let config: TrainConfig = all.try_into().map_err(|e: toml::de::Error| e.to_string())?;
    config.validate().map_err(|e| e.to_string())?;
    Ok(config)
}

#[track_caller]
fn refused(edit: &str, expect: &str) {
    assert_eq!(read(edit).unwrap_err(), expect);
}

const CONTRASTIVE: &str = "contrastive = { weight = 1.0, temperature = 0.1, hidden = 8, out = 4 }";

#[test]
fn tables_have_the_published_defaults() {
    let config = read("loss = 'focal'\nfocal = {}").unwrap();
    assert_eq!(config.focal, Some(FocalConfig { gamma: 2.0 }));
    let config = read("loss = 'logit-adjustment'\nlogit_adjustment = {}").unwrap();
    let published = LogitAdjustmentConfig { tau: 1.0 };
    assert_eq!(config.logit_adjustment, Some(published));
    let config = read("loss = 'ldam'\nldam = {}").unwrap();
    let published = LdamConfig {
        max_margin: 0.5,
        drw_from: 0.8,
        beta: 0.9999,
    };
    assert_eq!(config.ldam, Some(published));
    let kind = read(CONTRASTIVE).unwrap().contrastive.unwrap().kind;
    assert_eq!(kind, ContrastiveKind::Supervised);
}

#[test]
fn absent_head_is_linear_and_absent_views_are_one_view_without_augmentation() {
    let config = read("network = { depth = 8 }").unwrap();
    assert_eq!(config.network.head, Head::Linear);
    let mut table: toml::Table = toml::from_str(BASE).unwrap();
    table.remove("views");
    let config: TrainConfig = table.try_into().unwrap();
    assert_eq!(config.views, read("").unwrap().views);
    assert_eq!(config.views.classifier, 1);
    let config = read("views = { augment = { flip = true } }").unwrap();
    assert_eq!(config.views.classifier, 1);
}

#[test]
fn every_range_of_a_loss_is_checked() {
    for (loss, edit, expect) in [
        (
            "focal",
            "focal.gamma = -0.1",
            "focal.gamma is -0.1, expected 0 to 100",
        ),
        (
            "focal",
            "focal.gamma = nan",
            "focal.gamma is NaN, expected 0 to 100",
        ),
        (
            "ldam",
            "ldam.max_margin = 0.0",
            "ldam.max_margin is 0, expected above 0, at most 2",
        ),
        (
            "ldam",
            "ldam.drw_from = 1.5",
            "ldam.drw_from is 1.5, expected 0 to 1, a share of the run",
        ),
        (
            "ldam",
            "ldam.beta = 1.0",
            "ldam.beta is 1, expected 0 to below 1",
        ),
        (
            "logit-adjustment",
            "logit_adjustment.tau = inf",
            "logit_adjustment.tau is inf, expected 0 to 100",
        ),
        (
            "sdot",
            "offsets.momentum = 1.0",
            "offsets.momentum is 1, expected 0 to below 1",
        ),
        (
            "sdot",
            "offsets.temperature = -1.0",
            "offsets.temperature is -1, expected 0, or 0.01 to 1000",
        ),
    ] {
        refused(&format!("loss = '{loss}'\n{edit}"), expect);
    }
    for (key, value, expect) in [
        (
            "weight",
            "-1.0",
            "contrastive.weight is -1, expected 0 or more",
        ),
        (
            "temperature",
            "0.0",
            "contrastive.temperature is 0, expected above 0",
        ),
        (
            "hidden",
            "0",
            "contrastive.hidden is 0, expected 1 to 65536",
        ),
        ("out", "0", "contrastive.out is 0, expected 1 to 65536"),
    ] {
        let good = CONTRASTIVE.split(&format!("{key} = ")).nth(1).unwrap();
        let good = good.split([',', ' ']).next().unwrap();
        let edit = CONTRASTIVE.replace(&format!("{key} = {good}"), &format!("{key} = {value}"));
        refused(&edit, expect);
    }
}

#[test]
fn sdot_needs_offsets_and_ldam_needs_cosine_head() {
    refused(
        "loss = 'sdot'",
        "loss is sdot, expected an [offsets] table with loss `sdot`",
    );
    read("loss = 'sdot'\noffsets = {}").unwrap();
    let linear = "network = { depth = 8, head = { kind = 'linear' } }";
    refused(
        &format!("loss = 'ldam'\n{linear}"),
        "network.head is linear, expected a cosine head with loss `ldam`, whose margins are cosines",
    );
    read("loss = 'ldam'").unwrap();
    for loss in ["ce", "focal", "logit-adjustment"] {
        read(&format!("loss = '{loss}'\n{linear}")).unwrap();
    }
}

#[test]
fn table_of_another_loss_is_refused() {
    let losses = ["ce", "focal", "ldam", "logit-adjustment", "sdot"];
    for (table, owner) in [
        ("focal", "focal"),
        ("ldam", "ldam"),
        ("logit_adjustment", "logit-adjustment"),
        ("offsets", "sdot"),
    ] {
        for loss in losses.into_iter().filter(|&loss| loss != owner) {
            let own = if loss == "sdot" { "offsets = {}" } else { "" };
            refused(
                &format!("loss = '{loss}'\n{own}\n{table} = {{}}"),
                &format!("[{table}] has no effect with loss `{loss}`: it belongs to `{owner}`"),
            );
        }
    }
}

#[test]
fn target_is_a_name_or_a_file() {
    let target = |text: &str| {
        let config = read(&format!("loss = 'sdot'\noffsets.target = {text}")).unwrap();
        config.offsets.unwrap().target
    };
    assert_eq!(target("'uniform'"), TargetMeasure::Uniform);
    assert_eq!(target("'train'"), TargetMeasure::Train);
    assert_eq!(
        target("{ file = 'prior.json' }"),
        TargetMeasure::File("prior.json".into())
    );
}

#[test]
fn misspelled_key_in_file_is_error_with_nearest_key() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run.toml");
    let text = BASE.replace("epochs", "epoch");
    artifact::write(&path, text.as_bytes()).unwrap();
    let error = TrainConfig::read(&path).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{} is not a training configuration (unknown name `epoch`, did you mean `epochs`?)",
            path.display()
        )
    );
}
