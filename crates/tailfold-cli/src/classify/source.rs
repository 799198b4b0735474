//! Sources of images: files, folders, stdin and a watched folder.

use std::collections::VecDeque;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context as _, bail, ensure};
use tailfold_console::say;
use tailfold_data::{IMAGE_ENDINGS, ImageStream, LeftOut, Pixels, is_hidden, is_named_image};
use walkdir::WalkDir;

use super::item::{Content, Item};
use super::watch::Watched;

/// Size of a raw frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    width: usize,
    height: usize,
    channels: usize,
}

impl FromStr for Frame {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let error = || {
            format!(
                "`{text}` is not the size of a frame: expected WIDTHxHEIGHTxCHANNELS with 1 or 3 channels, like 640x480x3"
            )
        };
        let numbers: Vec<usize> = text
            .split('x')
            .map(|number| number.parse().map_err(|_| error()))
            .collect::<Result<_, _>>()?;
        let [width, height, channels] = numbers[..] else {
            return Err(error());
        };
        let values = width
            .checked_mul(height)
            .filter(|&n| n > 0 && n as u64 <= tailfold_data::MAX_PIXELS);
        if values.is_none() || !matches!(channels, 1 | 3) {
            return Err(error());
        }
        Ok(Self {
            width,
            height,
            channels,
        })
    }
}

type Images = Box<dyn Iterator<Item = Item>>;

/// The images of all inputs, in the order of the inputs.
pub(super) struct Source {
    inputs: VecDeque<Images>,
    watched: Option<Watched>,
}

impl Source {
    /// Opens the inputs `images`: files, folders and `-`. With `raw`, each input is a sequence of raw frames.
    ///
    /// Folders are listed now; image files are opened one by one, when they are classified.
    pub(super) fn open(images: &[PathBuf], raw: Option<Frame>) -> anyhow::Result<Self> {
        let stdin = images.iter().filter(|path| **path == *"-").count();
        ensure!(
            stdin <= 1,
            "`-` is given {stdin} times, but stdin can be read only once"
        );
        let inputs = images.iter().map(|path| input(path, raw));
        Ok(Self {
            inputs: inputs.collect::<anyhow::Result<_>>()?,
            watched: None,
        })
    }

    /// Continues with the images in `folder`, and with new ones, until `stop`.
    pub(super) fn watch(&mut self, folder: &Path, stop: Arc<AtomicBool>) -> anyhow::Result<()> {
        self.watched = Some(Watched::new(folder, stop)?);
        Ok(())
    }

    pub(super) fn is_watching(&self) -> bool {
        self.watched.is_some()
    }

    /// Whether all images were returned.
    pub(super) fn is_over(&self) -> bool {
        self.inputs.is_empty() && self.watched.is_none()
    }

    /// Returns the next images, at least one and at most `most`; `None` at the end.
    pub(super) fn next_batch(&mut self, most: usize) -> anyhow::Result<Option<Vec<Item>>> {
        let mut items = Vec::new();
        while let Some(input) = self.inputs.front_mut() {
            match input.next() {
                Some(item) => items.push(item),
                None => drop(self.inputs.pop_front()),
            }
            if items.len() == most {
                return Ok(Some(items));
            }
        }
        if !items.is_empty() {
            return Ok(Some(items));
        }
        match &mut self.watched {
            Some(watched) => watched.next_batch(most),
            None => Ok(None),
        }
    }
}

fn input(path: &Path, raw: Option<Frame>) -> anyhow::Result<Images> {
    let is_stdin = path == Path::new("-");
    let name = path.display().to_string();
    Ok(match raw {
        Some(frame) if is_stdin => frames(name, BufReader::new(io::stdin()), frame),
        Some(frame) => {
            let kind = path
                .metadata()
                .with_context(|| format!("cannot read {name}"))?;
            ensure!(
                kind.is_file(),
                "{name} is not a regular file: pass a pipe as standard input"
            );
            let file = std::fs::File::open(path).with_context(|| format!("cannot read {name}"))?;
            frames(name, BufReader::new(file), frame)
        }
        None if is_stdin => stream(),
        None if path.is_dir() => Box::new(listed(path)?.into_iter().map(Item::file)),
        None => Box::new(std::iter::once(Item::file(path.to_owned()))),
    })
}

/// Returns the images on stdin.
fn stream() -> Images {
    let images = ImageStream::new(BufReader::new(io::stdin()));
    Box::new(images.enumerate().map(|(i, image)| Item {
        // Stdin usually has a single image, which needs no number.
        name: if i == 0 {
            "-".to_owned()
        } else {
            format!("-#{i}")
        },
        content: match image {
            Ok(bytes) => Content::Encoded(bytes),
            Err(error) => Content::Failed(error.into()),
        },
    }))
}

/// Returns the raw frames of `source`. If the last frame is incomplete, its item is an error.
fn frames(name: String, mut source: impl Read + 'static, frame: Frame) -> Images {
    let Frame {
        width,
        height,
        channels,
    } = frame;
    let size = width * height * channels;
    let mut next = 0;
    let mut is_over = false;
    Box::new(std::iter::from_fn(move || {
        if is_over {
            return None;
        }
        let mut values = Vec::new();
        let read = source.by_ref().take(size as u64).read_to_end(&mut values);
        is_over = read.is_err() || values.len() < size;
        let content = match read {
            Ok(0) => return None,
            Ok(found) if found < size => Content::Failed(anyhow::anyhow!(
                "the stream ends after {found} of the frame's {size} bytes"
            )),
            Ok(_) => Content::Pixels(Pixels {
                height,
                width,
                channels,
                values,
            }),
            Err(error) => {
                Content::Failed(anyhow::Error::new(error).context("cannot read the stream"))
            }
        };
        let name = format!("{name}#{next}");
        next += 1;
        Some(Item { name, content })
    }))
}

/// Lists the images below `folder`, sorted by name.
///
/// Hidden files and folders and files with other endings are skipped. One line of the log output counts them, unless
/// all of them are hidden.
fn listed(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let (files, left_out) = images_below(folder)?;
    let name = folder.display();
    if files.is_empty() {
        let only = if left_out.is_empty() {
            String::new()
        } else {
            format!(", only {left_out}")
        };
        bail!("{name} holds no image ({}){only}", IMAGE_ENDINGS.join(", "));
    }
    if !left_out.without_hidden().is_empty() {
        say(&format!("{name}: files that are not images: {left_out}"));
    }
    Ok(files)
}

/// Returns the image files below `folder` and counts of the skipped files.
fn images_below(folder: &Path) -> anyhow::Result<(Vec<PathBuf>, LeftOut)> {
    let name = folder.display().to_string();
    let (mut files, mut left_out) = (Vec::new(), LeftOut::default());
    let mut entries = WalkDir::new(folder).sort_by_file_name().into_iter();
    while let Some(entry) = entries.next() {
        let entry = entry.with_context(|| format!("cannot read {name}"))?;
        // walkdir reports a root that is a link to a folder as a link.
        let is_folder = entry.depth() == 0 || entry.file_type().is_dir();
        if entry.depth() > 0 && is_hidden(entry.path()) {
            left_out.count(&name, entry.path());
            if is_folder {
                entries.skip_current_dir();
            }
        } else if is_named_image(entry.path()) && entry.path().is_file() {
            files.push(entry.into_path());
        } else if !is_folder {
            left_out.count(&name, entry.path());
        }
    }
    Ok((files, left_out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frame_size_has_three_numbers() {
        let frame = Frame {
            width: 28,
            height: 26,
            channels: 1,
        };
        assert_eq!("28x26x1".parse(), Ok(frame));
        for text in [
            "",
            "28x26",
            "28x26x2",
            "0x26x1",
            "28x26x1x1",
            "axbx1",
            "99999x99999x1",
        ] {
            let error = text.parse::<Frame>().unwrap_err();
            assert!(error.contains("WIDTHxHEIGHTxCHANNELS"), "{error}");
        }
    }

    #[test]
    fn stream_is_split_into_frames() {
        let frame = "2x1x3".parse().unwrap();
        let mut items = frames("f".to_owned(), &b"abcdefghijklmn"[..], frame);
        for (name, values) in [("f#0", b"abcdef"), ("f#1", b"ghijkl")] {
            let item = items.next().unwrap();
            assert_eq!(item.name, name);
            let Content::Pixels(pixels) = item.content else {
                panic!("{name} is not a frame")
            };
            assert_eq!(
                (pixels.height, pixels.width, &pixels.values[..]),
                (1, 2, &values[..])
            );
        }
        let last = items.next().unwrap();
        assert!(
            matches!(&last.content, Content::Failed(e) if e.to_string().contains("2 of the frame's 6"))
        );
        assert!(items.next().is_none());
        assert!(frames("f".to_owned(), &b""[..], frame).next().is_none());
    }

    #[test]
    fn hidden_and_other_files_are_skipped_and_counted() {
        let dir = tempfile::tempdir().unwrap();
        for file in [
            "b.PNG",
            "a/c.tif",
            "a/.ipynb_checkpoints/c-checkpoint.png",
            "a/._c.tif",
            "__MACOSX/b.png",
            "notes.txt",
            "list",
        ] {
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let (files, left_out) = images_below(dir.path()).unwrap();
        assert_eq!(
            files,
            [dir.path().join("a/c.tif"), dir.path().join("b.PNG")]
        );
        assert_eq!(left_out.to_string(), "1 .txt, 3 hidden, 1 no ending");
    }
}
