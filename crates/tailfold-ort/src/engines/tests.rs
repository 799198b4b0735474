use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::{OrtError, OrtErrorKind};

use super::*;

fn key(model: &str) -> EngineKey {
    EngineKey {
        provider: "tensorrt".to_owned(),
        model_sha256: model.to_owned(),
        builder: "libnvinfer.so.10.9.0".to_owned(),
        driver: "550.54".to_owned(),
        gpu: "GPU".to_owned(),
        compute_capability: "8.6".to_owned(),
    }
}

fn quiet(_: &str) {}

/// Opens the engine as a provider would: builds it if it is missing, and returns its contents.
fn open(folder: &Path, builds: &AtomicUsize) -> Result<String, OrtError> {
    let file = folder.join("net.engine");
    if !file.exists() {
        builds.fetch_add(1, Ordering::SeqCst);
        artifact::write(&file, b"engine")?;
    }
    Ok(artifact::read_to_string(&file)?)
}

/// Opens the engine and returns the number of builds.
fn builds(base: &Path, key: &EngineKey) -> usize {
    let count = AtomicUsize::new(0);
    let engine = with_engine(base, key, quiet, |folder| open(folder, &count)).unwrap();
    assert_eq!(engine, "engine");
    count.into_inner()
}

#[test]
fn engine_is_built_once_per_key() {
    let base = tempfile::tempdir().unwrap();
    assert_eq!(builds(base.path(), &key("a")), 1);
    assert_eq!(builds(base.path(), &key("a")), 0);
    let edits: [fn(&mut EngineKey); 6] = [
        |k| k.provider.push('x'),
        |k| k.model_sha256.push('x'),
        |k| k.builder.push('x'),
        |k| k.driver.push('x'),
        |k| k.gpu.push('x'),
        |k| k.compute_capability.push('x'),
    ];
    for edit in edits {
        let mut other = key("a");
        edit(&mut other);
        assert_eq!(builds(base.path(), &other), 1, "{other:?}");
    }
    assert_eq!(builds(base.path(), &key("a")), 0);
}

#[test]
fn damaged_engine_is_built_again() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join(key("a").folder_name());
    let damages: [fn(&Path); 6] = [
        |f| fs::write(f.join("net.engine"), "engime").unwrap(),
        |f| fs::write(f.join("net.engine"), "").unwrap(),
        |f| fs::remove_file(f.join(SEAL)).unwrap(),
        |f| fs::write(f.join(SEAL), "{").unwrap(),
        |f| fs::write(f.join("stray"), "").unwrap(),
        |f| {
            let text = fs::read_to_string(f.join(SEAL)).unwrap();
            fs::write(f.join(SEAL), text.replace("8.6", "9.0")).unwrap();
        },
    ];
    builds(base.path(), &key("a"));
    for (i, damage) in damages.into_iter().enumerate() {
        damage(&folder);
        assert_eq!(builds(base.path(), &key("a")), 1, "damage {i}");
        assert_eq!(builds(base.path(), &key("a")), 0, "after damage {i}");
    }
    // The folder of an interrupted build.
    let part = folder.with_extension("part");
    fs::create_dir_all(&part).unwrap();
    fs::write(part.join("net.engine"), "half").unwrap();
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(builds(base.path(), &key("a")), 1);
}

#[test]
fn engine_refused_by_the_provider_is_built_again() {
    let base = tempfile::tempdir().unwrap();
    builds(base.path(), &key("a"));
    let mut calls = Vec::new();
    let engine = with_engine(base.path(), &key("a"), quiet, |folder| {
        calls.push(folder.join("net.engine").exists());
        if calls.len() == 1 {
            return Err(OrtErrorKind::NoEngineFolder
                .error("no folder for engines was given, and HOME is not set"));
        }
        open(folder, &AtomicUsize::new(0))
    });
    assert_eq!(engine.unwrap(), "engine");
    assert_eq!(calls, [true, false]);
}

#[test]
fn failed_build_leaves_no_engine() {
    let base = tempfile::tempdir().unwrap();
    let failed = with_engine(base.path(), &key("a"), quiet, |_| {
        Err::<(), _>(
            OrtErrorKind::NoEngineFolder
                .error("no folder for engines was given, and HOME is not set"),
        )
    });
    assert!(failed.is_err());
    assert_eq!(builds(base.path(), &key("a")), 1);
}

#[test]
fn only_one_of_many_threads_builds_an_engine() {
    static HEARD: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let base = tempfile::tempdir().unwrap();
    let count = AtomicUsize::new(0);
    let tell: fn(&str) = |text| HEARD.lock().unwrap().push(text.to_owned());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let slow = |folder: &Path| {
                    if !folder.join("net.engine").exists() {
                        thread::sleep(Duration::from_millis(200));
                    }
                    open(folder, &count)
                };
                assert_eq!(
                    with_engine(base.path(), &key("a"), tell, slow).unwrap(),
                    "engine"
                );
            });
        }
    });
    assert_eq!(count.into_inner(), 1);
    let heard = HEARD.lock().unwrap();
    let builds = heard
        .iter()
        .filter(|text| text.contains("building an engine"));
    assert_eq!(builds.count(), 1, "{heard:?}");
}
