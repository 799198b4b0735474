//! An ablation ladder: one recipe, and arms that each change the settings under test.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use tailfold_spec::artifact;
use toml::{Table, Value};

/// A ladder file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ladder {
    /// Heading of the table.
    pub(super) title: String,
    /// The recipe: a training configuration, as a path relative to the ladder file.
    base: PathBuf,
    /// Test data, as a data spec. Accuracy is measured on it after every epoch, but no choice uses it.
    pub(super) test: String,
    /// Reference arms, with which every other arm is compared per seed. The default is the first arm.
    #[serde(default)]
    compare_with: Vec<String>,
    /// The arms, in the order of the table.
    #[serde(rename = "arm")]
    pub(super) arms: Vec<Arm>,
}

/// One arm: changes to the recipe.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Arm {
    /// Name of the arm, with which the names of its run folders begin.
    pub(super) name: String,
    /// Name in the table.
    pub(super) title: String,
    /// Keys of the recipe to remove before `set`: `contrastive`, `network.head`.
    #[serde(default)]
    remove: Vec<String>,
    /// Keys to set. Nested tables are merged into the recipe's tables.
    #[serde(default)]
    set: Table,
}

/// Settings of the command line, for every arm.
#[derive(Debug, Default)]
pub(super) struct Overrides {
    pub(super) data: Option<String>,
    pub(super) epochs: Option<i64>,
}

impl Ladder {
    /// Reads and checks a ladder file.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = artifact::read_to_string(path)?;
        let mut ladder: Self =
            toml::from_str(&text).with_context(|| format!("{} is not a ladder", path.display()))?;
        ladder.check().with_context(|| path.display().to_string())?;
        let folder = path.parent().unwrap_or(Path::new(""));
        ladder.base = folder.join(&ladder.base);
        Ok(ladder)
    }

    fn check(&mut self) -> anyhow::Result<()> {
        let Some(first) = self.arms.first() else {
            bail!("no [[arm]]");
        };
        if self.compare_with.is_empty() {
            self.compare_with.push(first.name.clone());
        }
        for (at, arm) in self.arms.iter().enumerate() {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
            ensure!(
                !arm.name.is_empty() && arm.name.chars().all(plain),
                "arm name `{}`: expected letters, digits and hyphens, which make a folder's name",
                arm.name
            );
            ensure!(
                self.arms[..at].iter().all(|other| other.name != arm.name),
                "two arms are called `{}`",
                arm.name
            );
        }
        for name in &self.compare_with {
            self.arm(name)?;
        }
        Ok(())
    }

    fn arm(&self, name: &str) -> anyhow::Result<&Arm> {
        let names = || self.arms.iter().map(|a| a.name.as_str());
        self.arms
            .iter()
            .find(|arm| arm.name == name)
            .with_context(|| {
                let known = names().collect::<Vec<_>>().join(", ");
                format!("there is no arm `{name}`; there are {known}")
            })
    }

    /// Drops all arms but `names`. The order of the ladder remains.
    pub(super) fn keep(&mut self, names: &[String]) -> anyhow::Result<()> {
        for name in names {
            self.arm(name)?;
        }
        self.arms.retain(|arm| names.contains(&arm.name));
        Ok(())
    }

    /// Names of the reference arms that are kept.
    pub(super) fn references(&self) -> impl Iterator<Item = &str> {
        let kept = |name: &&String| self.arms.iter().any(|arm| arm.name == **name);
        self.compare_with.iter().filter(kept).map(String::as_str)
    }

    /// Reads the recipe.
    pub(super) fn recipe(&self) -> anyhow::Result<Table> {
        let text = artifact::read_to_string(&self.base)?;
        toml::from_str(&text).with_context(|| format!("{} is not TOML", self.base.display()))
    }
}

impl Arm {
    /// The configuration of this arm as TOML: the recipe, validated on `test`, changed first by the command line and
    /// then by the arm.
    pub(super) fn config(
        &self,
        recipe: &Table,
        test: &str,
        overrides: &Overrides,
    ) -> anyhow::Result<String> {
        let mut config = recipe.clone();
        config.insert("name".to_owned(), Value::from(self.name.as_str()));
        config.insert("validation".to_owned(), Value::from(test));
        if let Some(data) = &overrides.data {
            config.insert("data".to_owned(), Value::from(data.as_str()));
        }
        if let Some(epochs) = overrides.epochs {
            config.insert("epochs".to_owned(), Value::from(epochs));
        }
        for key in &self.remove {
            remove(&mut config, key).with_context(|| {
                format!(
                    "arm `{}` removes `{key}`, which the recipe does not have",
                    self.name
                )
            })?;
        }
        merge(&mut config, &self.set);
        Ok(toml::to_string(&config)?)
    }
}

/// Removes the dotted `key` from `table` and returns its value.
fn remove(table: &mut Table, key: &str) -> Option<Value> {
    match key.split_once('.') {
        None => table.remove(key),
        Some((outer, inner)) => remove(table.get_mut(outer)?.as_table_mut()?, inner),
    }
}

/// Sets the keys of `changes` in `table`. Nested tables are merged, all other values are replaced.
fn merge(table: &mut Table, changes: &Table) {
    for (key, change) in changes {
        match (table.get_mut(key), change) {
            (Some(Value::Table(inner)), Value::Table(changes)) => merge(inner, changes),
            _ => {
                table.insert(key.clone(), change.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests;
