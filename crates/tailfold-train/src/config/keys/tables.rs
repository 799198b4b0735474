//! The tables of a configuration, read from its JSON schema.

use serde_json::Value;
use toml::de::Error;

use crate::config::TrainConfig;

/// One table of a configuration, or several tables with the same keys.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Table {
    /// Name of the type in the schema; empty for the whole configuration.
    pub(super) definition: String,
    /// Dotted names, `views.augment` for example; the empty name is the top of the file.
    pub(super) names: Vec<String>,
    /// The meaning of the table.
    pub(super) about: String,
    /// The keys, in the order of the sources.
    pub(super) keys: Vec<Key>,
}

/// One key of a table.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Key {
    /// Name of the key.
    pub(super) name: String,
    /// Type of the key's value.
    pub(super) kind: Kind,
    /// Default as TOML; `None` for a key without a default.
    pub(super) default: Option<String>,
    /// Whether a configuration must have the key.
    pub(super) required: bool,
    /// Meaning of the key.
    pub(super) about: String,
    /// The accepted values and their meanings; empty if the schema does not list the values.
    pub(super) values: Vec<(String, String)>,
}

/// Type of the value of a key.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// A value of the named type.
    Value(String),
    /// A table, by its [`Table::definition`].
    Table(String),
}

/// All tables of the configuration with the JSON schema `root`, the top of the file first.
pub(super) fn tables(root: &Value) -> Vec<Table> {
    let mut tables = Vec::new();
    add(root, root, "", String::new(), &mut tables);
    tables
}

/// Adds the table `name` with the given schema and all tables below it.
fn add(root: &Value, schema: &Value, definition: &str, name: String, tables: &mut Vec<Table>) {
    let mut keys = keys(root, schema);
    let order = accepted_keys(&name);
    keys.sort_by_key(|key| order.iter().position(|known| *known == key.name));
    let below: Vec<(String, String)> = keys.iter().filter_map(|key| child(&name, key)).collect();
    match tables.iter_mut().find(|t| t.definition == definition) {
        Some(known) => known.names.push(name),
        None => tables.push(Table {
            definition: definition.to_owned(),
            names: vec![name],
            about: text(schema, "description"),
            keys,
        }),
    }
    for (definition, name) in below {
        let schema = &root["$defs"][&definition];
        add(root, schema, &definition, name, tables);
    }
}

/// Definition and dotted name of the table that `key` holds in the table `name`.
fn child(name: &str, key: &Key) -> Option<(String, String)> {
    let Kind::Table(definition) = &key.kind else {
        return None;
    };
    let dot = if name.is_empty() { "" } else { "." };
    Some((definition.clone(), format!("{name}{dot}{}", key.name)))
}

/// The keys that the reader of configurations accepts in the table `name`, in the order of the sources; a schema lists
/// them in alphabetical order. Empty for a table whose keys depend on its `kind`.
pub(super) fn accepted_keys(name: &str) -> Vec<String> {
    let dot = if name.is_empty() { "" } else { "." };
    let unknown = format!("{name}{dot}'?' = 0");
    let error = toml::from_str::<TrainConfig>(&unknown).err();
    let message = error.as_ref().map_or("", Error::message);
    if !message.starts_with("unknown field `?`") {
        return Vec::new();
    }
    let mut quoted = message.split('`').skip(1).step_by(2).map(str::to_owned);
    quoted.next();
    quoted.collect()
}

/// The keys of a table, in the order of its schema.
fn keys(root: &Value, table: &Value) -> Vec<Key> {
    match tag(table) {
        Some(tag) => tagged_keys(root, table, tag),
        None => entries(table)
            .map(|(name, schema)| key(root, name, schema, is_required(table, name)))
            .collect(),
    }
}

/// The keys of a table whose key `tag` decides which other keys the table has.
fn tagged_keys(root: &Value, table: &Value, tag: &str) -> Vec<Key> {
    let variants = list(table, "oneOf");
    let value = |variant: &Value| as_toml(&variant["properties"][tag]["const"]);
    let described = |variant| (value(variant), text(variant, "description"));
    let mut keys = vec![Key {
        name: tag.to_owned(),
        kind: Kind::Value("string".to_owned()),
        default: None,
        required: true,
        about: "Decides which other keys the table has.".to_owned(),
        values: variants.iter().map(described).collect(),
    }];
    for variant in variants {
        for (name, schema) in entries(variant).filter(|(name, _)| *name != tag) {
            let mut key = key(root, name, schema, is_required(variant, name));
            key.about = format!("{} Only with `{tag} = {}`.", key.about, value(variant));
            keys.push(key);
        }
    }
    keys
}

fn key(root: &Value, name: &str, schema: &Value, required: bool) -> Key {
    let (definition, meant) = resolved(root, schema);
    let tag = tag(meant);
    let table = tag.is_some() || meant.get("properties").is_some();
    let default = schema.get("default").filter(|value| !value.is_null());
    // A table has no default of its own: its keys show their defaults.
    let shown = default.filter(|_| tag.is_some() || !table);
    Key {
        name: name.to_owned(),
        kind: if table {
            Kind::Table(definition.to_owned())
        } else {
            Kind::Value(kind(meant))
        },
        default: shown.map(as_toml),
        required,
        about: text(schema, "description"),
        values: if table { Vec::new() } else { values(meant) },
    }
}

/// The schema that `schema` refers to, with its name; `schema` itself when it refers to none.
fn resolved<'a>(root: &'a Value, schema: &'a Value) -> (&'a str, &'a Value) {
    // The schema of an optional value is `anyOf` the schema of the value and null.
    let mut alternatives = list(schema, "anyOf").iter();
    let some = alternatives.find(|one| one["type"] != "null");
    let schema = some.unwrap_or(schema);
    let reference = schema.get("$ref").and_then(Value::as_str);
    match reference.and_then(|path| path.strip_prefix("#/$defs/")) {
        Some(name) => (name, &root["$defs"][name]),
        None => ("", schema),
    }
}

/// The key that selects the variant of a table; `None` for a table without variants.
fn tag(table: &Value) -> Option<&str> {
    let first = list(table, "oneOf").first()?;
    let constant = |(_, schema): &(&str, &Value)| schema.get("const").is_some();
    let (tag, _) = entries(first).find(constant)?;
    Some(tag)
}

/// Name of the type of a value.
fn kind(schema: &Value) -> String {
    let names: Vec<&str> = match &schema["type"] {
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        name => name.as_str().into_iter().collect(),
    };
    let items = list(schema, "prefixItems");
    match names.into_iter().find(|name| *name != "null") {
        Some("array") if items.is_empty() => format!("array of {}s", kind(&schema["items"])),
        Some("array") => format!("array of {} {}s", items.len(), kind(&items[0])),
        Some(name) => name.to_owned(),
        None => {
            let mut kinds: Vec<String> = list(schema, "oneOf").iter().map(kind).collect();
            kinds.dedup();
            kinds.join(" or ").replace("object", "table")
        }
    }
}

/// The accepted values of a schema that lists them, as TOML, with their meanings.
fn values(schema: &Value) -> Vec<(String, String)> {
    let variant = |one: &Value| {
        let value = match (one.get("const"), entries(one).next()) {
            (Some(constant), _) => as_toml(constant),
            (None, Some((name, _))) => format!("{{ {name} = \"...\" }}"),
            (None, None) => return None,
        };
        Some((value, text(one, "description")))
    };
    let listed = list(schema, "enum").iter();
    let plain = listed.map(|value| (as_toml(value), String::new()));
    let variants = list(schema, "oneOf").iter().filter_map(variant);
    plain.chain(variants).collect()
}

fn is_required(table: &Value, name: &str) -> bool {
    list(table, "required").iter().any(|one| one == name)
}

/// The properties of a schema.
fn entries(schema: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let entries = properties.into_iter().flatten();
    entries.map(|(name, schema)| (name.as_str(), schema))
}

fn list<'a>(schema: &'a Value, name: &str) -> &'a [Value] {
    schema
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn text(schema: &Value, name: &str) -> String {
    let text = schema.get(name).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

/// A JSON value as TOML.
fn as_toml(value: &Value) -> String {
    toml::Value::try_from(value).map_or_else(|_| value.to_string(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::config::keys_json_schema;

    fn all() -> Vec<Table> {
        tables(&keys_json_schema())
    }

    #[test]
    fn every_key_and_value_has_a_meaning() {
        for table in all() {
            assert!(!table.about.is_empty(), "{:?}", table.names);
            for key in table.keys {
                assert!(key.about.ends_with('.'), "{:?} {key:?}", table.names);
                // A rustdoc link does not work in the Markdown page.
                assert!(!key.about.contains("[`"), "{:?} {key:?}", table.names);
                for (value, about) in &key.values {
                    assert!(about.ends_with('.'), "{:?} {value} {about}", table.names);
                    assert!(!about.contains("[`"), "{:?} {value} {about}", table.names);
                }
            }
        }
    }

    #[test]
    fn schema_has_exactly_the_accepted_keys() {
        let mut compared = 0;
        for table in all() {
            for name in &table.names {
                let accepted = accepted_keys(name);
                if accepted.is_empty() {
                    assert_eq!(table.keys[0].name, "kind", "{name}");
                    continue;
                }
                compared += 1;
                let names: Vec<&str> = table.keys.iter().map(|key| key.name.as_str()).collect();
                assert_eq!(names, accepted, "{name}");
            }
        }
        assert!(compared >= 12, "only {compared} tables were compared");
    }

    #[test]
    fn kinds_defaults_and_values_are_read() {
        let tables = all();
        let find = |table: &str, key: &str| {
            let table = tables.iter().find(|t| t.names.iter().any(|n| n == table));
            let table = table.unwrap_or_else(|| panic!("there is no table {table:?}"));
            let key = table.keys.iter().find(|k| k.name == key);
            key.unwrap_or_else(|| panic!("no such key in {:?}", table.names))
                .clone()
        };
        let value = |kind: &str| Kind::Value(kind.to_owned());
        let epochs = find("", "epochs");
        assert!(epochs.required && epochs.default.is_none());
        assert_eq!(epochs.kind, value("integer"));
        assert_eq!(
            find("", "checkpoint_minutes").default.as_deref(),
            Some("10.0")
        );
        assert_eq!(
            find("", "schedule").default.as_deref(),
            Some("{ kind = \"cosine\" }")
        );
        assert!(!find("", "focal").required && find("", "focal").default.is_none());
        assert_eq!(find("focal", "gamma").default.as_deref(), Some("2.0"));
        assert_eq!(
            find("normalisation", "mean").kind,
            value("array of numbers")
        );
        assert_eq!(
            find("views.augment", "resized_crop").kind,
            value("array of 2 numbers")
        );
        assert_eq!(
            find("views.contrastive_augment", "fill").default.as_deref(),
            Some("0")
        );
        assert_eq!(find("offsets", "target").kind, value("string or table"));
        let names = |key: Key| -> BTreeSet<String> {
            key.values.into_iter().map(|(value, _)| value).collect()
        };
        let targets = ["\"train\"", "\"uniform\"", "{ file = \"...\" }"];
        assert_eq!(
            names(find("offsets", "target")),
            targets.map(str::to_owned).into()
        );
        let heads = ["\"cosine\"", "\"linear\""];
        assert_eq!(
            names(find("network.head", "kind")),
            heads.map(str::to_owned).into()
        );
        let scale = find("network.head", "scale");
        assert!(scale.required && scale.about.ends_with("Only with `kind = \"cosine\"`."));
    }
}
