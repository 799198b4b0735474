//! `include/tailfold.h` matches the header that cbindgen generates from the sources. `TAILFOLD_BLESS=1` rewrites the file.

use std::fs;
use std::path::Path;

use cbindgen::{Builder, Config};

/// Source files in the order of the header: codes, messages, options, handles, images.
const SOURCES: [&str; 5] = ["code", "failure", "options", "handle", "classify"];

#[test]
fn header_matches_sources() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = Config::from_file(package.join("cbindgen.toml")).expect("a configuration");
    let builder = SOURCES.iter().fold(Builder::new(), |builder, source| {
        builder.with_src(package.join(format!("src/{source}.rs")))
    });
    let mut made = Vec::new();
    let bindings = builder.with_config(config).generate();
    bindings.expect("sources that C can bind").write(&mut made);
    let made = String::from_utf8(made).expect("the sources are UTF-8");

    let path = package.join("include/tailfold.h");
    if std::env::var_os("TAILFOLD_BLESS").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == made,
        "include/tailfold.h does not match the sources: run this test with TAILFOLD_BLESS=1; it should be\n{made}"
    );
    // Every exported function must be in the header, even if cbindgen skipped it.
    for source in SOURCES {
        let text = fs::read_to_string(package.join(format!("src/{source}.rs"))).unwrap();
        let names = text.split("extern \"C\" fn ").skip(1);
        for name in names.filter_map(|rest| rest.split('(').next()) {
            assert!(
                made.contains(&format!("{name}(")),
                "{name} is not in the header"
            );
        }
    }
}
