//! The report as a self-contained HTML page.

use maud::{Markup, PreEscaped, html};
use tailfold_parity::page::{Page, Text, scrolled};
use tailfold_plot::PlotError;

use super::Report;

/// Plots are drawn on white; tables have many narrow columns.
const STYLE: &str = "svg{height:auto;display:block;margin:1rem 0;border-radius:8px}td,th{white-space:nowrap}h2{margin-top:2rem}main{padding-top:1.5rem}";

impl Report {
    /// Renders tables and plots, without scripts and without requests to other hosts.
    ///
    /// # Errors
    /// [`PlotError`] when a plot cannot be drawn.
    pub fn to_html(&self) -> Result<String, PlotError> {
        let plots = [self.recall_plot()?, self.bias_plot()?];
        let titles = ["Groups", "Layers", "Activations"];
        let record = &self.record;
        let main = html! {
            h1 { (Text(&self.model)) }
            p { (Text(&self.summary())) }
            @if let Some(line) = self.evaluated() {
                p { (Text(&line)) }
            } @else {
                p { "Not compared on any images: no labelled images were given." }
            }
            @for plot in plots.iter().flatten() {
                (PreEscaped(plot))
            }
            @for (title, (header, rows)) in titles.iter().zip(self.tables()) {
                @if !rows.is_empty() {
                    h2 { (title) }
                    (scrolled(title, table(title, &header, &rows)))
                }
            }
            @if let Some(search) = &self.search {
                h2 { "Mixed precision" }
                (scrolled("Mixed precision", html! { pre { @for line in search.to_table().lines() { (Text(line)) "\n" } } }))
            }
            h2 { "Provenance" }
            p { "Calibrated on " code { (Text(&record.calibration)) } "; float model " code { (Text(&record.float_sha256)) } "." }
        };
        let page = Page {
            title: &format!("Quantization of {}", self.model),
            style: STYLE,
            script: "",
            header: html! {},
            main,
        };
        Ok(page.into_string())
    }
}

fn table(title: &str, header: &[&str], rows: &[Vec<String>]) -> Markup {
    html! {
        table {
            caption { (title) }
            thead { tr { @for cell in header { th scope="col" { (cell) } } } }
            tbody { @for row in rows { tr { @for cell in row { td { (Text(cell)) } } } } }
        }
    }
}
