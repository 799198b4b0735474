//! The differences between two configurations.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::TrainConfig;

/// Keys that change no result.
const WITHOUT_EFFECT: [&str; 2] = ["checkpoint_minutes", "images.cache"];

impl TrainConfig {
    /// The keys with different values in `self` and `other`, as `key: value in self, value in other`. Keys that change no
    /// result are left out.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let (ours, theirs) = (flat(self), flat(other));
        let absent = || "absent".to_owned();
        let mut keys: Vec<&String> = ours.keys().chain(theirs.keys()).collect();
        keys.sort_unstable();
        keys.dedup();
        keys.into_iter()
            .filter(|key| {
                !WITHOUT_EFFECT.contains(&key.as_str()) && ours.get(*key) != theirs.get(*key)
            })
            .map(|key| {
                let shown = |of: &BTreeMap<String, Value>| {
                    of.get(key).map_or_else(absent, ToString::to_string)
                };
                format!("{key}: {}, {}", shown(&ours), shown(&theirs))
            })
            .collect()
    }
}

/// Every value by its dotted key.
fn flat(config: &TrainConfig) -> BTreeMap<String, Value> {
    fn walk(prefix: &str, table: Table, all: &mut BTreeMap<String, Value>) {
        for (key, value) in table {
            let key = format!("{prefix}{key}");
            match value {
                Value::Table(inner) => walk(&format!("{key}."), inner, all),
                value => {
                    all.insert(key, value);
                }
            }
        }
    }
    let mut all = BTreeMap::new();
    // A configuration has a TOML form, because it was read from TOML.
    walk("", Table::try_from(config).unwrap_or_default(), &mut all);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_omit_keys_without_effect() {
        let text = r#"
            name = "a"
            data = "embedded"
            epochs = 3
            batch = 8
            loss = "ce"
            network = { depth = 8, head = { kind = "linear" } }
            optimizer = { learning_rate = 0.1, weight_decay = 0.0 }
            views = { classifier = 1 }
        "#;
        let config: TrainConfig = toml::from_str(text).unwrap();
        let mut other = config.clone();
        other.checkpoint_minutes = 0.0;
        assert_eq!(config.differences(&other), Vec::<String>::new());
        other.optimizer.learning_rate = 0.2;
        other.micro_batch = Some(4);
        let expect = [
            "micro_batch: absent, 4",
            "optimizer.learning_rate: 0.1, 0.2",
        ];
        assert_eq!(config.differences(&other), expect);
    }
}
