use super::*;

const RECIPE: &str = r#"
name = "recipe"
data = "embedded?split=train"
epochs = 16
loss = "sdot"

[network]
depth = 8
head = { kind = "cosine", scale = 16.0 }

[contrastive]
weight = 0.5
temperature = 0.1

[offsets]
source = "sphere"
"#;

fn arm(text: &str) -> Arm {
    toml::from_str(text).unwrap()
}

fn config(arm: &Arm) -> Table {
    let recipe: Table = toml::from_str(RECIPE).unwrap();
    let text = arm.config(&recipe, "embedded?split=test", &Overrides::default());
    toml::from_str(&text.unwrap()).unwrap()
}

#[test]
fn arm_changes_only_its_own_keys() {
    let ce = config(&arm(r#"
        name = "ce"
        title = "cross-entropy"
        remove = ["offsets", "network.head"]
        set = { loss = "ce", contrastive.weight = 2.0, network.head.kind = "linear" }
        "#));
    let expected: Table = toml::from_str(
        r#"
        name = "ce"
        data = "embedded?split=train"
        validation = "embedded?split=test"
        epochs = 16
        loss = "ce"
        [network]
        depth = 8
        head = { kind = "linear" }
        [contrastive]
        weight = 2.0
        temperature = 0.1
        "#,
    )
    .unwrap();
    assert_eq!(ce, expected);
}

#[test]
fn arm_overrides_command_line() {
    let recipe: Table = toml::from_str(RECIPE).unwrap();
    let overrides = Overrides {
        data: Some("cifar10:DIR".to_owned()),
        epochs: Some(2),
    };
    let long = arm("name = \"long\"\ntitle = \"twice as long\"\nset = { epochs = 4 }");
    let text = long.config(&recipe, "embedded", &overrides).unwrap();
    let config: Table = toml::from_str(&text).unwrap();
    assert_eq!(config["epochs"].as_integer(), Some(4));
    assert_eq!(config["data"].as_str(), Some("cifar10:DIR"));
}

#[test]
fn removal_of_missing_key_is_error() {
    let recipe: Table = toml::from_str(RECIPE).unwrap();
    for key in ["ofsets", "network.haed", "loss.kind"] {
        let arm = arm(&format!(
            "name = \"a\"\ntitle = \"A\"\nremove = [\"{key}\"]"
        ));
        let error = arm.config(&recipe, "embedded", &Overrides::default());
        let message = format!("{:#}", error.unwrap_err());
        assert!(message.contains(&format!("`{key}`")), "{message}");
    }
}

#[test]
fn invalid_ladder_is_error() {
    let head = "title = \"T\"\nbase = \"b.toml\"\ntest = \"embedded\"\n";
    let arm = |name: &str| format!("[[arm]]\nname = \"{name}\"\ntitle = \"A\"\n");
    let check = |text: String, expect: &str| {
        let mut ladder: Ladder = toml::from_str(&text).unwrap();
        let error = ladder.check().unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    };
    check(format!("{head}arm = []"), "no [[arm]]");
    check(head.to_owned() + &arm("a") + &arm("a"), "two arms");
    check(head.to_owned() + &arm("../a"), "`../a`");
    let other = format!("{head}compare_with = [\"b\"]\n");
    check(other + &arm("a"), "no arm `b`; there are a");
    let mut good: Ladder = toml::from_str(&(head.to_owned() + &arm("a") + &arm("b"))).unwrap();
    good.check().unwrap();
    assert_eq!(good.references().collect::<Vec<_>>(), ["a"]);
    good.keep(&["b".to_owned()]).unwrap();
    assert_eq!(good.references().count(), 0);
    assert!(good.keep(&["c".to_owned()]).is_err());
}
