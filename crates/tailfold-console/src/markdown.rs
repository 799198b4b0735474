//! Markdown tables.

/// Returns a table of `rows` under `heads`. The first column is left-aligned, the others are right-aligned.
pub fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let heads: Vec<String> = heads.iter().map(|&head| head.to_owned()).collect();
    let rule: Vec<String> = (0..heads.len())
        .map(|at| if at == 0 { "---" } else { "---:" }.to_owned())
        .collect();
    let rows: String = rows.iter().map(|row| line(row)).collect();
    line(&heads) + &line(&rule) + &rows
}

#[cfg(test)]
mod tests {
    #[test]
    fn first_column_is_left_aligned() {
        let rows = [vec!["few".to_owned(), "1.5".to_owned()]];
        let table = super::table(&["group", "recall"], &rows);
        assert_eq!(table, "| group | recall |\n| --- | ---: |\n| few | 1.5 |\n");
    }
}
