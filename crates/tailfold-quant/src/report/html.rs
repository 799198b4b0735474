//! The report as one page that needs nothing else.

use maud::{DOCTYPE, PreEscaped, html};
use tailfold_plot::PlotError;

use super::Report;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:64rem;padding:0 1rem;color:#1a1a1a}\
table{border-collapse:collapse;margin:1rem 0;font-size:13px;display:block;overflow-x:auto}\
th,td{padding:.25rem .6rem;border-bottom:1px solid #ddd;text-align:left;white-space:nowrap}\
th{position:sticky;top:0;background:#fff}svg{max-width:100%;height:auto}code{font-size:12px;overflow-wrap:anywhere}\
@media print{body{margin:0;max-width:none}table{display:table}}";

impl Report {
    /// Tables and plots; no script, no request to anywhere.
    ///
    /// # Errors
    /// [`PlotError`] when a plot cannot be drawn.
    pub fn to_html(&self) -> Result<String, PlotError> {
        let plots = [self.recall_plot()?, self.bias_plot()?];
        let titles = ["Groups", "Layers", "Activations"];
        let record = &self.record;
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { "Quantization of " (self.model) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    h1 { (self.model) }
                    p { (self.summary()) }
                    @if let Some(line) = self.evaluated() {
                        p { (line) }
                    } @else {
                        p { "Not compared on any images: give labelled ones with --evaluation." }
                    }
                    @for plot in plots.iter().flatten() {
                        (PreEscaped(plot))
                    }
                    @for (title, (header, rows)) in titles.iter().zip(self.tables()) {
                        @if !rows.is_empty() {
                            h2 { (title) }
                            table {
                                thead { tr { @for cell in header { th scope="col" { (cell) } } } }
                                tbody { @for row in rows { tr { @for cell in row { td { (cell) } } } } }
                            }
                        }
                    }
                    @if let Some(search) = &self.search {
                        h2 { "Mixed precision" }
                        pre { (search.to_table()) }
                    }
                    h2 { "Provenance" }
                    p { "Calibrated on " code { (record.calibration) } "; float model " code { (record.float_sha256) } "." }
                }
            }
        };
        Ok(page.into_string())
    }
}
