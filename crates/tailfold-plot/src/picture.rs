//! Pictures as SVG and PNG, from one drawing routine.

use std::ffi::OsStr;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};
use png::{BitDepth, ColorType, Compression, Encoder, Filter};
use tailfold_spec::artifact;

use crate::PlotError;

/// The area that a picture is drawn on.
pub type Canvas<B> = DrawingArea<B, Shift>;

/// The result of drawing: the error of the drawing backend, or nothing.
pub type Painted<B> = Result<(), DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

/// A picture that can be drawn on any canvas.
pub trait Picture {
    /// Width and height, pixels.
    fn size(&self) -> (u32, u32);
    /// Draws the picture.
    ///
    /// # Errors
    /// The error of the drawing backend.
    fn paint<B: DrawingBackend>(&self, canvas: &Canvas<B>) -> Painted<B>;
}

/// Colours of series. They also differ in lightness.
pub const COLOURS: [RGBColor; 10] = [
    RGBColor(150, 150, 150),
    RGBColor(31, 119, 180),
    RGBColor(230, 97, 1),
    RGBColor(44, 160, 44),
    RGBColor(148, 103, 189),
    RGBColor(140, 86, 75),
    RGBColor(214, 39, 40),
    RGBColor(23, 190, 207),
    RGBColor(188, 189, 34),
    RGBColor(0, 0, 0),
];

/// Writes `picture` as `STEM.svg` and `STEM.png`.
///
/// # Errors
/// [`PlotError`].
pub fn save(stem: &Path, picture: &impl Picture) -> Result<(), PlotError> {
    save_as(&stem.with_extension("svg"), picture)?;
    save_as(&stem.with_extension("png"), picture)
}

/// Writes `picture` in the format of `file`'s extension, `.svg` or `.png`.
///
/// # Errors
/// [`PlotError::Ending`] for another extension, or the error of drawing or writing.
pub fn save_as(file: &Path, picture: &impl Picture) -> Result<(), PlotError> {
    let bytes = match file.extension().and_then(OsStr::to_str) {
        Some("svg") => svg(picture)?.into_bytes(),
        Some("png") => png(picture)?,
        _ => return Err(PlotError::Ending(file.to_owned())),
    };
    Ok(artifact::write(file, &bytes)?)
}

/// Returns `picture` as the text of an SVG file.
///
/// # Errors
/// [`PlotError`].
pub fn svg(picture: &impl Picture) -> Result<String, PlotError> {
    let mut svg = String::new();
    paint(
        SVGBackend::with_string(&mut svg, picture.size()).into_drawing_area(),
        picture,
    )?;
    Ok(svg)
}

/// Returns `picture` as the bytes of a PNG file: 8-bit RGB at the encoder's best compression, so that equal pixels
/// give equal bytes.
fn png(picture: &impl Picture) -> Result<Vec<u8>, PlotError> {
    let (width, height) = picture.size();
    let mut pixels = vec![255; 3 * width as usize * height as usize];
    paint(
        BitMapBackend::with_buffer(&mut pixels, picture.size()).into_drawing_area(),
        picture,
    )?;
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width, height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::High);
    encoder.set_filter(Filter::Adaptive);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(bytes)
}

fn paint<B: DrawingBackend>(canvas: Canvas<B>, picture: &impl Picture) -> Result<(), PlotError> {
    // The embedded font is the only font, so no picture depends on the installed fonts.
    register_font("sans-serif", FontStyle::Normal, dejavu::sans::regular())
        .map_err(|_| PlotError::Font)?;
    picture
        .paint(&canvas)
        .and_then(|()| canvas.present())
        .map_err(|e| PlotError::Paint(e.to_string()))
}
