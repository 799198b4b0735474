//! C programs with the shared and the static library: the example prints the answers of [`ImageClassifier`], and misuse
//! is an error, not a crash.

#![expect(clippy::unwrap_used, reason = "a failed preparation fails the test")]

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use tailfold::{Backend, ImageClassifier, Options};
use tailfold_data::{Dataset, Pixels};

const MODEL: &str = "models/fashion-lt/fashion-lt.int8.onnx";

/// The kind of library that a program is linked with.
#[derive(Clone, Copy, Debug)]
enum Linked {
    Shared,
    Static,
}

#[test]
fn example_prints_answers_of_library() {
    let scratch = tempfile::tempdir().unwrap();
    let images = [0, 1, 2].map(|index| {
        let path = scratch.path().join(format!("{index}.png"));
        fs::write(&path, image(index).to_png().unwrap()).unwrap();
        path
    });
    let expected = answers(&images);
    let wrong = scratch.path().join("wrong.png");
    fs::write(&wrong, "no image").unwrap();
    for linked in [Linked::Shared, Linked::Static] {
        let source = root().join("examples/c/classify.c");
        let program = compiled(&source, linked, scratch.path());
        let classify = |valgrind, images: &[PathBuf]| {
            let mut command = started(&program, valgrind);
            command
                .args(["--backend", "integer"])
                .arg(root().join(MODEL));
            finished(command.args(images))
        };
        let plain = classify(false, &images);
        assert_eq!(
            (plain.status.code(), text(&plain.stdout)),
            (Some(0), expected.clone())
        );
        if has_valgrind() {
            let watched = classify(true, &images);
            assert_clean(&watched, 0);
            assert_eq!(text(&watched.stdout), expected);
        } else {
            skipped(&format!("the memory of the example, {linked:?}"));
        }
        let half = classify(false, &[wrong.clone(), images[0].clone()]);
        assert_eq!(half.status.code(), Some(1), "{half:?}");
        assert!(text(&half.stderr).contains("TAILFOLD_IMAGE"), "{half:?}");
        assert!(expected.starts_with(&text(&half.stdout)), "{half:?}");
        let mut none = started(&program, false);
        let none = finished(none.arg("no-model.onnx").arg(&images[0]));
        assert_eq!(none.status.code(), Some(2), "{none:?}");
        assert!(text(&none.stderr).contains("TAILFOLD_FILE: "), "{none:?}");
    }
}

#[test]
fn misuse_is_an_error() {
    let scratch = tempfile::tempdir().unwrap();
    let png = scratch.path().join("image.png");
    fs::write(&png, image(0).to_png().unwrap()).unwrap();
    for linked in [Linked::Shared, Linked::Static] {
        let source = root().join("crates/tailfold-capi/tests/abuse.c");
        let program = compiled(&source, linked, scratch.path());
        let abused = |valgrind| {
            let mut command = started(&program, valgrind);
            finished(command.arg(root().join(MODEL)).arg(&png))
        };
        let plain = abused(false);
        assert_eq!(plain.status.code(), Some(0), "{}", text(&plain.stderr));
        if has_valgrind() {
            assert_clean(&abused(true), 0);
        } else {
            skipped(&format!("the memory of misuse, {linked:?}"));
        }
    }
}

/// Reports a skipped memory check. It writes to stderr directly, because the test runner captures print macros.
fn skipped(check: &str) {
    let line = format!("skipped {check}: valgrind is not installed\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

/// Returns an image of the embedded data set.
fn image(index: usize) -> Pixels {
    let spec = "embedded?split=test&limit=3".parse().unwrap();
    Dataset::open(&spec).unwrap().image(index).unwrap()
}

/// Returns the text that the example must print, computed with the Rust library.
fn answers(images: &[PathBuf]) -> String {
    let model = root().join(MODEL);
    let mut classifier =
        ImageClassifier::open(&model, Backend::Integer, &Options::default()).unwrap();
    let mut text = String::new();
    for path in images {
        let answer = classifier.classify(&fs::read(path).unwrap(), "an image", 3);
        writeln!(text, "{}", path.display()).unwrap();
        for guess in answer.unwrap().top {
            let percent = 100.0 * guess.probability;
            writeln!(text, "{percent:10.6} %  {}", guess.name).unwrap();
        }
    }
    text
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Returns the folder of the C libraries. `cargo test` does not build them, so this function does, once.
fn libraries() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let folder = BUILT.get_or_init(|| {
        let own = env::current_exe().unwrap();
        let folder = own.ancestors().nth(2).expect("target/PROFILE/deps/c-HASH");
        build(folder);
        for linked in [Linked::Shared, Linked::Static] {
            let file = folder.join(linked.file());
            assert!(file.is_file(), "{} is not there", file.display());
        }
        folder.to_owned()
    });
    folder.clone()
}

/// Builds the libraries of the workspace into `folder`, with the features of the whole workspace, as this test has them.
fn build(folder: &Path) {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(root())
        .args(["build", "--offline", "--workspace", "--lib", "--target-dir"])
        .arg(
            folder
                .parent()
                .expect("a profile lies in the target folder"),
        );
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    // With the variables of this package, build scripts that read them would run again.
    for (name, _) in env::vars_os() {
        let name = name.to_str().unwrap_or_default();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
        {
            cargo.env_remove(name);
        }
    }
    let output = finished(&mut cargo);
    assert!(output.status.success(), "{}", text(&output.stderr));
}

impl Linked {
    fn file(self) -> String {
        use env::consts::{DLL_PREFIX, DLL_SUFFIX};
        match self {
            Self::Shared => format!("{DLL_PREFIX}tailfold{DLL_SUFFIX}"),
            Self::Static => "libtailfold.a".to_owned(),
        }
    }
}

/// Compiles one C source without warnings and returns the program.
fn compiled(source: &Path, linked: Linked, folder: &Path) -> PathBuf {
    let name = source.file_stem().unwrap().to_str().unwrap();
    let program = folder.join(format!("{name}-{linked:?}"));
    let libraries = libraries();
    let mut cc = Command::new("cc");
    cc.args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-g"])
        .arg("-I")
        .arg(root().join("crates/tailfold-capi/include"))
        .arg(source)
        .arg("-o")
        .arg(&program);
    match linked {
        Linked::Shared => cc
            .arg("-L")
            .arg(&libraries)
            .arg("-ltailfold")
            .arg(format!("-Wl,-rpath,{}", libraries.display())),
        Linked::Static => cc.arg(libraries.join(linked.file())),
    };
    // System libraries that Rust's standard library needs.
    let output = finished(cc.args(["-lpthread", "-ldl", "-lm"]));
    assert!(output.status.success(), "{cc:?}: {}", text(&output.stderr));
    program
}

/// Returns a command for `program`, alone or under valgrind. valgrind does not know AVX-512, so the kernels use an
/// older instruction set there.
fn started(program: &Path, valgrind: bool) -> Command {
    if !valgrind {
        return Command::new(program);
    }
    let mut command = Command::new("valgrind");
    command
        .args(["--quiet", "--error-exitcode=99", "--leak-check=full"])
        .arg(program)
        .env("TAILFOLD_ISA", isa());
    command
}

fn isa() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        return "avx2";
    }
    "portable"
}

fn has_valgrind() -> bool {
    let version = Command::new("valgrind").arg("--version").output();
    version.is_ok_and(|output| output.status.success())
}

/// Fails if valgrind found an error or a leak, or if the exit code is not `code`.
#[track_caller]
fn assert_clean(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
    // valgrind's own lines begin with its process number.
    let lines = text(&output.stderr);
    let said = lines.lines().find(|line| line.starts_with("=="));
    assert_eq!(said, None, "{lines}");
}

fn finished(command: &mut Command) -> Output {
    command
        .output()
        .unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
