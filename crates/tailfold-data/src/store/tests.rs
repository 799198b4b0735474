use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicUsize;

use tailfold_spec::{Filter, Preprocess};

use super::*;
use crate::{Normaliser, preprocess};

fn quiet(_: usize) {}

/// Returns a photograph-like image that is unique per number; every fourth image is grey.
fn picture(number: usize, height: usize, width: usize) -> Pixels {
    let channels = if number % 4 == 3 { 1 } else { 3 };
    let value = |i: usize| u8::try_from((i * (number + 3) + i / 7) % 256).unwrap();
    Pixels {
        height,
        width,
        channels,
        values: (0..height * width * channels).map(value).collect(),
    }
}

/// Creates a folder of two classes with `count` images of different sizes.
fn folder(count: usize) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for class in ["ant", "bee"] {
        fs::create_dir_all(dir.path().join("set").join(class)).unwrap();
    }
    for number in 0..count {
        let class = ["ant", "bee"][number % 2];
        let png = picture(number, 20 + number % 5, 24 - number % 7)
            .to_png()
            .unwrap();
        fs::write(dir.path().join(format!("set/{class}/{number:04}.png")), png).unwrap();
    }
    dir
}

fn open(dir: &Path) -> Dataset {
    let spec = format!("folder:{}", dir.join("set").display());
    Dataset::open(&spec.parse().unwrap()).unwrap()
}

fn config(cache: Option<&Path>, on_corrupt: OnCorrupt) -> StoreConfig {
    StoreConfig {
        channels: Some(3),
        resize: Some(Resize {
            short_side: 12,
            filter: Filter::Bilinear,
        }),
        cache: cache.map(Path::to_owned),
        on_corrupt,
    }
}

fn images(store: &ImageStore) -> Vec<Pixels> {
    let all = (0..store.len()).map(|i| store.image(i).unwrap().into_owned());
    all.collect()
}

/// Returns the only folder below `cache`.
fn only(cache: &Path) -> PathBuf {
    let mut entries = fs::read_dir(cache).unwrap();
    let folder = entries.next().unwrap().unwrap().path();
    assert!(entries.next().is_none());
    folder
}

#[test]
fn memory_and_cache_hold_same_images_as_inference() {
    let dir = folder(9);
    let data = open(dir.path());
    let cache = dir.path().join("cache");
    let memory = ImageStore::open(&data, &config(None, OnCorrupt::Error), &quiet).unwrap();
    let heard = AtomicUsize::new(0);
    let hear = |n| {
        heard.fetch_max(n, Ordering::Relaxed);
    };
    let disk = ImageStore::open(&data, &config(Some(&cache), OnCorrupt::Error), &hear).unwrap();
    assert_eq!(heard.load(Ordering::Relaxed), 9);
    assert_eq!(images(&memory), images(&disk));
    assert_eq!(disk.kept(), (0..9).collect::<Vec<_>>());
    let spec = Preprocess {
        channels: 3,
        height: 12,
        width: 10,
        bgr: false,
        resize: config(None, OnCorrupt::Error).resize,
        mean: vec![0.5, 0.4, 0.3],
        std: vec![0.2, 0.3, 0.4],
    };
    let normaliser = Normaliser::new(&spec).unwrap();
    for i in 0..9 {
        let image = disk.image(i).unwrap();
        assert_eq!(disk.shape(i), [3, image.height, image.width]);
        assert_eq!(image.height.min(image.width), 12);
        let mut values = vec![0.0; normaliser.size()];
        normaliser.write(image.as_pixels(), &mut values).unwrap();
        assert_eq!(values, preprocess(&data.image(i).unwrap(), &spec).unwrap());
    }
}

#[test]
fn cache_is_filled_once_and_again_when_file_changes() {
    let dir = folder(5);
    let cache = dir.path().join("cache");
    let config = config(Some(&cache), OnCorrupt::Error);
    let first = images(&ImageStore::open(&open(dir.path()), &config, &quiet).unwrap());
    let folder = only(&cache);
    let written = |name: &str| fs::metadata(folder.join(name)).unwrap().modified().unwrap();
    let before = (written("images.bin"), written("index.txt"));
    assert_eq!(
        images(&ImageStore::open(&open(dir.path()), &config, &quiet).unwrap()),
        first
    );
    assert_eq!((written("images.bin"), written("index.txt")), before);
    fs::write(
        dir.path().join("set/ant/0000.png"),
        picture(40, 31, 33).to_png().unwrap(),
    )
    .unwrap();
    let changed = images(&ImageStore::open(&open(dir.path()), &config, &quiet).unwrap());
    assert_ne!(changed[0], first[0]);
    assert_eq!(changed[1..], first[1..]);
    assert_eq!(fs::read_dir(&cache).unwrap().count(), 2);
}

#[test]
fn interrupted_filling_is_continued() {
    // The images do not fit in one chunk.
    let dir = folder(600);
    let data = open(dir.path());
    let whole = dir.path().join("whole");
    let expect =
        images(&ImageStore::open(&data, &config(Some(&whole), OnCorrupt::Error), &quiet).unwrap());
    let whole = only(&whole);
    let pixels = fs::read(whole.join("images.bin")).unwrap();
    let index = fs::read(whole.join("index.txt")).unwrap();
    let name = whole.file_name().unwrap();
    // The states after a kill or a power failure: pixels ahead of the index, a truncated line, zeros instead of a line,
    // the index ahead of the pixels, and all files complete except for the last rename.
    let cut = |bytes: &[u8], n: usize| bytes[..n.min(bytes.len())].to_vec();
    let zeros = [cut(&index, 3000), vec![0; 20]].concat();
    for (case, pixels, index, renamed) in [
        (0, cut(&pixels, 200_000), cut(&index, 1000), false),
        (1, pixels.clone(), cut(&index, 2345), false),
        (2, pixels.clone(), zeros, false),
        (3, cut(&pixels, 77_777), index.clone(), false),
        (4, pixels.clone(), index.clone(), true),
        (5, Vec::new(), Vec::new(), false),
    ] {
        let cache = dir.path().join(format!("cut{case}"));
        let folder = cache.join(name);
        fs::create_dir_all(&folder).unwrap();
        let images_name = if renamed {
            "images.bin"
        } else {
            "images.partial"
        };
        fs::write(folder.join(images_name), pixels).unwrap();
        fs::write(folder.join("index.partial"), index).unwrap();
        let config = config(Some(&cache), OnCorrupt::Error);
        let store = ImageStore::open(&data, &config, &quiet).unwrap();
        assert!(images(&store) == expect, "case {case}");
        assert!(!folder.join("index.partial").exists() && !folder.join("images.partial").exists());
    }
}

#[test]
fn damaged_cache_is_error() {
    let dir = folder(5);
    let data = open(dir.path());
    let cache = dir.path().join("cache");
    let config = config(Some(&cache), OnCorrupt::Error);
    ImageStore::open(&data, &config, &quiet).unwrap();
    let folder = only(&cache);
    let refused = || {
        ImageStore::open(&data, &config, &quiet)
            .unwrap_err()
            .to_string()
    };
    let pixels = fs::read(folder.join("images.bin")).unwrap();
    fs::write(folder.join("images.bin"), &pixels[1..]).unwrap();
    let (path, n) = (folder.join("images.bin"), pixels.len());
    let expect = format!(
        "{}: {} bytes, but the index names {n}; remove the folder to rebuild the cache",
        path.display(),
        n - 1
    );
    assert_eq!(refused(), expect);
    fs::write(folder.join("images.bin"), &pixels).unwrap();
    fs::write(folder.join("index.txt"), "12x14x3\n12x14x4\n").unwrap();
    let expect = format!(
        "{}: 1 usable lines for 5 images; remove the folder to rebuild the cache",
        folder.join("index.txt").display()
    );
    assert_eq!(refused(), expect);
}

#[test]
fn corrupt_images_are_errors_or_skipped_and_named() {
    let dir = folder(8);
    let bad = [
        dir.path().join("set/ant/0002.png"),
        dir.path().join("set/bee/0005.png"),
    ];
    let data = open(dir.path());
    fs::write(&bad[0], "not an image").unwrap();
    fs::write(&bad[1], "").unwrap();
    let cache = dir.path().join("cache");
    for cache in [None, Some(cache.as_path())] {
        let error = ImageStore::open(&data, &config(cache, OnCorrupt::Error), &quiet);
        let error = error.unwrap_err().to_string();
        assert_eq!(error, format!("cannot decode {}", bad[0].display()));
        let store = ImageStore::open(&data, &config(cache, OnCorrupt::Skip), &quiet).unwrap();
        let skipped: Vec<_> = store
            .skipped()
            .iter()
            .map(|s| (s.index, s.id.clone()))
            .collect();
        let expect = [(1, &bad[0]), (6, &bad[1])].map(|(i, path)| (i, path.display().to_string()));
        assert_eq!(skipped, expect);
        assert!(store.skipped()[1].reason.ends_with("holds no image"));
        assert_eq!(store.kept(), [0, 2, 3, 4, 5, 7]);
        assert_eq!(images(&store).len(), 6);
        assert_eq!(store.image(1).unwrap().into_owned(), {
            let pixels = data.image(2).unwrap();
            fit(Cow::Owned(pixels), 3, config(None, OnCorrupt::Skip).resize)
                .unwrap()
                .into_owned()
        });
    }
    // A corrupt image recorded in the cache is still an error if skipping is off.
    let error = ImageStore::open(&data, &config(Some(&cache), OnCorrupt::Error), &quiet);
    let message = error.unwrap_err().to_string();
    let start = format!("{} cannot be used: cannot decode", bad[0].display());
    assert!(message.starts_with(&start), "{message}");
}

#[test]
fn disk_failure_is_not_a_corrupt_image() {
    let dir = folder(4);
    let data = open(dir.path());
    let cache = dir.path().join("cache");
    let image = dir.path().join("set/ant/0002.png");
    fs::remove_file(&image).unwrap();
    // A folder exists but cannot be read as a file, on any system and for any user.
    fs::create_dir(&image).unwrap();
    for cache in [None, Some(cache.as_path())] {
        let error = ImageStore::open(&data, &config(cache, OnCorrupt::Skip), &quiet).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("cannot read {}", image.display())
        );
    }
    // The cache has no record of the image, which may be fine.
    for entry in walkdir::WalkDir::new(&cache) {
        let path = entry.unwrap().into_path();
        if path.is_file() && path.extension().is_some_and(|e| e != "bin") {
            assert!(
                !fs::read_to_string(&path).unwrap().contains('!'),
                "{}",
                path.display()
            );
        }
    }
    // A missing file is skipped.
    fs::remove_dir(&image).unwrap();
    let store = ImageStore::open(&data, &config(Some(&cache), OnCorrupt::Skip), &quiet).unwrap();
    assert_eq!((store.len(), store.skipped()[0].index), (3, 1));
}

#[test]
fn cache_that_cannot_be_written_leaves_nothing_to_read() {
    let dir = folder(3);
    let data = open(dir.path());
    let cache = dir.path().join("cache");
    fs::write(&cache, "a file").unwrap();
    let error = ImageStore::open(&data, &config(Some(&cache), OnCorrupt::Error), &quiet);
    assert!(error.unwrap_err().to_string().starts_with("cannot create "));
}

#[test]
fn too_many_images_for_memory_are_refused() {
    let dir = folder(6);
    let data = open(dir.path());
    let config = config(None, OnCorrupt::Error);
    let error = ImageStore::in_memory(&data, &config, &quiet, 2000).unwrap_err();
    let text = format!(
        "the images of {} take more than 2000 bytes of memory: name a folder in `images.cache`",
        data.spec()
    );
    assert_eq!(error.to_string(), text);
}
