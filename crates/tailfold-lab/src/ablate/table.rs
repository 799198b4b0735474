//! The ladder's table as Markdown, and its runs as CSV.

use tailfold_console::markdown::table;
use tailfold_spec::Mean;

use super::report::{Columns, Report};

fn cells(columns: &Columns, signed: bool) -> impl Iterator<Item = String> {
    let show = move |mean: Option<Mean>| mean.map_or("-".to_owned(), |mean| mean.show(signed));
    columns.all().into_iter().map(show)
}

impl Report {
    /// The whole result as Markdown.
    pub(super) fn markdown(&self) -> String {
        let measured = &self.measured;
        let epochs = match measured.epochs {
            [least, most] if least == most => format!("{most} epochs"),
            [least, most] => format!("{least} to {most} epochs"),
        };
        let seeds: Vec<String> = measured.seeds.iter().map(u64::to_string).collect();
        let mut text = format!(
            "# {}\n\n\
             Trained on `{}` ({} images, {} classes), measured on `{}` ({} images): {}, {} parameters, {epochs}, seeds {}, \
             {} ({}). Top-1 accuracy in percent after the last epoch, mean +- standard error over seeds; groups by \
             training images: many > 100, medium 20 to 100, few < 20. Only the column `best epoch` is selected on the \
             test data: it has the accuracy of each run's best epoch.\n\n",
            self.title,
            measured.train,
            measured.train_images,
            measured.classes,
            measured.test,
            measured.test_images,
            measured.network,
            measured.parameters,
            seeds.join(", "),
            measured.device,
            measured.machine,
        );
        let rows: Vec<Vec<String>> = self
            .arms
            .iter()
            .map(|arm| {
                [arm.title.clone(), arm.runs.len().to_string()]
                    .into_iter()
                    .chain(cells(&arm.last, false))
                    .chain([arm.best_overall.show(false)])
                    .collect()
            })
            .collect();
        let heads = [&["arm", "seeds"][..], &Columns::NAMES, &["best epoch"]].concat();
        text += &table(&heads, &rows);
        for reference in self.references() {
            text += &format!(
                "\nDifference to {} in percentage points, paired by seed:\n\n",
                self.title_of(reference)
            );
            let differences = self.differences.iter().filter(|d| d.minus == reference);
            let rows: Vec<Vec<String>> = differences
                .map(|difference| {
                    [
                        self.title_of(&difference.arm).to_owned(),
                        difference.seeds.len().to_string(),
                    ]
                    .into_iter()
                    .chain(cells(&difference.columns, true))
                    .collect()
                })
                .collect();
            text += &table(&[&["arm", "seeds"][..], &Columns::NAMES].concat(), &rows);
        }
        for failure in &self.failed {
            text += &format!(
                "\nFailed: {} with seed {}: {}\n",
                failure.arm, failure.seed, failure.why
            );
        }
        text
    }

    /// Names of the reference arms, in the order of the differences.
    fn references(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.differences.iter().map(|d| d.minus.as_str()).collect();
        names.dedup();
        names
    }

    fn title_of(&self, name: &str) -> &str {
        let arm = self.arms.iter().find(|arm| arm.name == name);
        arm.map_or("?", |arm| &arm.title)
    }

    /// The runs as CSV: one row per run, with accuracies in percent.
    pub(super) fn csv(&self) -> anyhow::Result<Vec<u8>> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let heads = [
            &["arm", "seed"][..],
            &Columns::NAMES,
            &["best_overall", "best_epoch"],
        ];
        writer.write_record(heads.concat())?;
        let number = |value: Option<f64>| value.map_or_else(String::new, |v| format!("{v:.4}"));
        for arm in &self.arms {
            for run in &arm.runs {
                let last = &run.last;
                writer.write_record([
                    arm.name.clone(),
                    run.seed.to_string(),
                    number(Some(last.overall)),
                    number(last.many),
                    number(last.medium),
                    number(last.few),
                    number(Some(run.best_overall)),
                    run.best_epoch.to_string(),
                ])?;
            }
        }
        Ok(writer.into_inner()?)
    }
}
