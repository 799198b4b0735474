//! Images that cannot be classified, among images that can.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat};
use tailfold_data::Pixels;

use super::no_panic;
use crate::fixture::{embedded, fixture};
use crate::programs::run;
use crate::scratch::Scratch;

#[test]
fn unreadable_images_do_not_stop_the_others() {
    let scratch = Scratch::new();
    let model = scratch.write("model.onnx", fixture().model.to_bytes());
    let images = embedded("split=test&limit=2");
    let [first, last] = [0, 1].map(|i| images.image(i).unwrap().to_png().unwrap());
    let large = Pixels {
        height: 30,
        width: 30,
        channels: 1,
        values: vec![9; 900],
    };
    let good = [
        scratch.write("first.png", &first),
        scratch.write("last.png", &last),
    ];
    let bad = [
        (
            scratch.write("cut.png", &first[..first.len() / 2]),
            "cannot decode",
        ),
        (scratch.write("garbage.png", [0xA5; 300]), "cannot decode"),
        (scratch.write("empty.png", ""), "holds no image"),
        (
            scratch.write("large.png", large.to_png().unwrap()),
            "the image is 30x30 pixels, the network takes 28x28 and no resize is set",
        ),
        (scratch.at("missing.png"), "cannot read"),
    ];
    let mut args = vec!["classify", "--json", "--model", &model, &good[0]];
    args.extend(bad.iter().map(|(file, _)| file.as_str()));
    args.push(&good[1]);

    let answer = run("tailfold", &args).ended_with(1);
    no_panic(&answer);
    assert!(
        answer
            .stderr
            .contains("5 of 7 images could not be classified"),
        "{}",
        answer.stderr
    );
    let json = answer.json();
    let rows = json["images"].as_array().unwrap();
    assert_eq!(rows.len(), 7);
    for (row, file) in [(&rows[0], &good[0]), (&rows[6], &good[1])] {
        assert_eq!(row["file"], file.as_str());
        assert_eq!(row["top"].as_array().unwrap().len(), 3, "{row}");
        assert!(row.get("error").is_none(), "{row}");
    }
    for (row, (file, message)) in rows[1..].iter().zip(&bad) {
        assert_eq!(row["file"], file.as_str());
        assert!(row["error"].as_str().unwrap().contains(message), "{row}");
        assert!(row.get("top").is_none(), "{row}");
    }

    args.remove(1);
    let answer = run("tailfold", &args).ended_with(1);
    assert_eq!(answer.stdout.lines().count(), 2, "{}", answer.stdout);
    for (file, message) in &bad {
        let said = |line: &str| line.starts_with(&format!("{file}: ")) && line.contains(message);
        assert!(answer.stderr.lines().any(said), "{file}: {}", answer.stderr);
    }
}

#[test]
fn truncated_images_are_errors_in_every_format() {
    let scratch = Scratch::new();
    let model = scratch.write("model.onnx", fixture().model.to_bytes());
    let pixels = embedded("split=test&limit=1").image(0).unwrap();
    let picture = image::GrayImage::from_raw(28, 28, pixels.values).unwrap();
    for (ending, format) in [
        ("jfif", ImageFormat::Jpeg),
        ("png", ImageFormat::Png),
        ("tif", ImageFormat::Tiff),
        ("gif", ImageFormat::Gif),
        ("webp", ImageFormat::WebP),
        ("bmp", ImageFormat::Bmp),
        ("pgm", ImageFormat::Pnm),
    ] {
        let mut bytes = Cursor::new(Vec::new());
        let rgb = DynamicImage::from(picture.clone()).into_rgb8();
        match format {
            ImageFormat::Gif | ImageFormat::WebP => rgb.write_to(&mut bytes, format),
            _ => picture.write_to(&mut bytes, format),
        }
        .unwrap();
        let bytes = bytes.into_inner();
        let len = bytes.len();
        let folder = scratch.folder(ending);
        for end in [len * 6 / 100, len / 2, len * 95 / 100, len - 2] {
            scratch.write(&format!("{ending}/{end}.{ending}"), &bytes[..end]);
        }
        scratch.write(&format!("{ending}/whole.{ending}"), &bytes);
        let classify = ["classify", "--json", "--model", &model, &folder];
        let answer = run("tailfold", &classify).ended_with(1).json();
        let rows = answer["images"].as_array().unwrap();
        assert_eq!(rows.len(), 5);
        for row in rows {
            let file = row["file"].as_str().unwrap();
            let is_whole = file.ends_with(&format!("whole.{ending}"));
            assert_eq!(row.get("error").is_none(), is_whole, "{row}");
            if !is_whole {
                assert!(row["error"].as_str().unwrap().contains("cannot decode"));
            }
        }
    }
}

#[test]
fn skipped_files_are_counted_in_one_line() {
    let scratch = Scratch::new();
    let model = scratch.write("model.onnx", fixture().model.to_bytes());
    let image = embedded("split=test&limit=1").image(0).unwrap();
    let folder = scratch.folder("photos");
    for file in [
        "0.png",
        ".ipynb_checkpoints/0.png",
        "._0.png",
        "a.heic",
        "b",
    ] {
        scratch.write(&format!("photos/{file}"), image.to_png().unwrap());
    }
    let answer = run("tailfold", &["classify", "--model", &model, &folder]).ended_with(0);
    assert_eq!(answer.stdout.lines().count(), 1, "{}", answer.stdout);
    let line = format!("{folder}: files that are not images: 1 .heic, 2 hidden, 1 no ending");
    assert!(
        answer.stderr.lines().any(|l| l == line),
        "{}",
        answer.stderr
    );
}

#[test]
fn valid_images_give_exit_code_0() {
    let scratch = Scratch::new();
    let model = scratch.write("model.onnx", fixture().model.to_bytes());
    let image = embedded("split=test&limit=1").image(0).unwrap();
    let image = scratch.write("image.png", image.to_png().unwrap());
    run("tailfold", &["classify", "--model", &model, &image]).ended_with(0);
}

#[test]
fn invalid_options_of_classify_are_errors() {
    let scratch = Scratch::new();
    let model = scratch.write("model.onnx", fixture().model.to_bytes());
    let image = scratch.at("missing.png");
    let empty = scratch.folder("empty");
    let check = |args: &[&str], expect: &[&str]| {
        super::refused(&scratch, "tailfold", args, expect);
    };
    check(
        &["classify", "--model", &model, "--top", "0", &image],
        &["--top is 0"],
    );
    check(
        &["classify", "--model", &model, &empty],
        &[&empty, "holds no image"],
    );
    check(&["classify", "--model", &model], &["IMAGES"]);
    let backend = [
        "classify",
        "--model",
        &model,
        "--backend",
        "tensorrt",
        &image,
    ];
    check(&backend, &["tensorrt"]);
}
