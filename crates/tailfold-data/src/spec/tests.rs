use proptest::prelude::*;

use super::*;

fn check(text: &str, message: &str) {
    assert_eq!(
        text.parse::<DataSpec>().unwrap_err().to_string(),
        message,
        "{text}"
    );
}

#[test]
fn every_source_is_parsed() {
    let source = |text: &str| text.parse::<DataSpec>().unwrap().source().clone();
    assert_eq!(source("embedded"), DataSource::Embedded);
    assert_eq!(source("cifar10:a b/c"), DataSource::Cifar10("a b/c".into()));
    assert_eq!(source("idx:C:\\data"), DataSource::Idx("C:\\data".into()));
    assert_eq!(
        source("list:a@b.txt@root"),
        DataSource::List {
            file: "a@b.txt".into(),
            root: "root".into()
        }
    );
    assert_eq!(
        source("json:a.json@root"),
        DataSource::Json {
            file: "a.json".into(),
            root: "root".into()
        }
    );
    assert_eq!(
        source("folder:why?/x?"),
        DataSource::Folder("why?/x".into())
    );
}

#[test]
fn options_are_parsed_and_replaced() {
    let spec: DataSpec = "cifar100:d?seed=7&imbalance=62.5&split=val&empty=allow&limit=5"
        .parse()
        .unwrap();
    assert_eq!(
        spec.to_string(),
        "cifar100:d?split=val&imbalance=62.5&limit=5&seed=7&empty=allow"
    );
    let spec = spec.with_split(Split::Test).with_per_class(3);
    assert_eq!(
        spec.to_string(),
        "cifar100:d?split=test&imbalance=62.5&limit=5&per-class=3&seed=7&empty=allow"
    );
    assert_eq!(
        (spec.split(), spec.per_class(), spec.seed()),
        (Some(Split::Test), Some(3), 7)
    );
    assert_eq!(DataSpec::embedded().split(), None);
}

#[test]
fn parse_error_names_accepted_values() {
    let kinds = "expected embedded, cifar10:DIR, cifar100:DIR, idx:DIR, folder:DIR, list:FILE@ROOT, json:FILE@ROOT or csv:FILE";
    check("mnist:d", &format!("unknown data set `mnist`: {kinds}"));
    check("", &format!("unknown data set ``: {kinds}"));
    check("cifar10", "`cifar10` is not of the form cifar10:DIR");
    check(
        "cifar10:?split=test",
        "`cifar10:` is not of the form cifar10:DIR",
    );
    check("embedded:d", "`embedded:d` is not of the form embedded");
    check("json:@x", "`json:@x` is not of the form json:FILE@ROOT");
    check("list:file", "`list:file` is not of the form list:FILE@ROOT");
    check(
        "list:@root",
        "`list:@root` is not of the form list:FILE@ROOT",
    );
    check(
        "embedded?spilt=test",
        "unknown option `spilt`: expected split, imbalance, limit, per-class, seed or empty",
    );
    check(
        "embedded?split=dev",
        "option `split` is `dev`, expected train, val or test",
    );
    check(
        "embedded?limit",
        "option `limit` is ``, expected a whole number of at least 1",
    );
    check(
        "embedded?per-class=0",
        "option `per-class` is `0`, expected a whole number of at least 1",
    );
    check(
        "embedded?imbalance=NaN",
        "option `imbalance` is `NaN`, expected a number of at least 1",
    );
    check(
        "embedded?imbalance=0.01",
        "option `imbalance` is `0.01`, expected a number of at least 1",
    );
    check(
        "embedded?seed=-1",
        "option `seed` is `-1`, expected a whole number below 2^64",
    );
    check("embedded?seed=1&seed=1", "option `seed` is given twice");
}

#[test]
fn configuration_holds_specification_as_text() {
    let spec: DataSpec = serde_json::from_str("\"csv:x.csv?limit=2\"").unwrap();
    assert_eq!(
        serde_json::to_string(&spec).unwrap(),
        "\"csv:x.csv?limit=2\""
    );
    let error = serde_json::from_str::<DataSpec>("\"csv\"").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("`csv` is not of the form csv:FILE"),
        "{error}"
    );
}

fn specs() -> impl Strategy<Value = DataSpec> {
    let path = "[a-z?&=@:%é ./]{1,12}";
    let source = (path, "[a-z?&=: ./]{1,8}", 0..8).prop_map(|(path, root, kind)| match kind {
        0 => DataSource::Embedded,
        1 => DataSource::Cifar10(path.into()),
        2 => DataSource::Cifar100(path.into()),
        3 => DataSource::Idx(path.into()),
        4 => DataSource::Folder(path.into()),
        5 => DataSource::List {
            file: path.into(),
            root: root.into(),
        },
        6 => DataSource::Json {
            file: path.into(),
            root: root.into(),
        },
        _ => DataSource::Csv(path.into()),
    });
    let options = (
        proptest::option::of(proptest::sample::select(Split::ALL.to_vec())),
        proptest::option::of(1.0..1e6_f64),
        proptest::option::of(1..usize::MAX),
        proptest::option::of(1..usize::MAX),
        any::<Option<u64>>(),
        any::<Option<bool>>(),
    );
    (source, options).prop_map(
        |(source, (split, imbalance, limit, per_class, seed, allow_empty))| DataSpec {
            source,
            split,
            imbalance,
            limit,
            per_class,
            seed,
            allow_empty,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn printing_and_parsing_are_inverse(spec in specs()) {
        prop_assert_eq!(spec.to_string().parse::<DataSpec>(), Ok(spec));
    }

    #[test]
    fn no_text_panics(text: String) {
        let _ = text.parse::<DataSpec>();
    }
}
