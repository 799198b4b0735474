use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition};
use parquet::schema::types::{ColumnPath, Type as SchemaType};

use super::*;

fn column(physical: Type, levels: i16) -> ColumnDescriptor {
    let leaf =
        SchemaType::primitive_type_builder("x", physical).with_repetition(Repetition::REQUIRED);
    let leaf = match physical {
        Type::BYTE_ARRAY => leaf.with_logical_type(Some(LogicalType::String)),
        _ => leaf,
    };
    let leaf = Arc::new(leaf.build().unwrap());
    ColumnDescriptor::new(leaf, levels, levels, ColumnPath::from("x"))
}

fn page(encoding: Encoding, num_values: u32, bytes: &[u8]) -> Page {
    Page::DataPage {
        buf: bytes.to_vec().into(),
        num_values,
        encoding,
        def_level_encoding: Encoding::RLE,
        rep_level_encoding: Encoding::RLE,
        statistics: None,
    }
}

fn dictionary(num_values: u32, bytes: &[u8]) -> Page {
    Page::DictionaryPage {
        buf: bytes.to_vec().into(),
        num_values,
        encoding: Encoding::PLAIN,
        is_sorted: false,
    }
}

/// Checks the pages of one column; all but the last must be valid.
fn check(column: &ColumnDescriptor, pages: &[Page], expect: Result<(), &str>) {
    let mut claims = Claims::new(column, Budget::unlimited());
    let (last, sound) = pages.split_last().unwrap();
    for page in sound {
        claims.check(page).unwrap();
    }
    let found = claims.check(last).map_err(|e| e.to_string());
    match expect {
        Ok(()) => assert_eq!(found, Ok(())),
        Err(why) => assert_eq!(found, Err(format!("Parquet error: {why}"))),
    }
}

#[test]
fn page_too_short_for_its_values_is_refused() {
    let single = column(Type::FLOAT, 0);
    let split = Encoding::BYTE_STREAM_SPLIT;
    check(&single, &[page(split, 2, &[0; 8])], Ok(()));
    check(
        &single,
        &[page(split, 3, &[0; 8])],
        Err("a page of 8 bytes is too short for 3 values"),
    );
    let text = column(Type::BYTE_ARRAY, 0);
    let names = [2, 0, 0, 0, b'a', b'b', 0, 0, 0, 0];
    check(&text, &[page(Encoding::PLAIN, 2, &names)], Ok(()));
    check(
        &text,
        &[page(Encoding::PLAIN, 3, &names)],
        Err("a page of 10 bytes is too short for 3 values"),
    );
    check(
        &text,
        &[page(Encoding::PLAIN, 1, &names[..5])],
        Err("a page of 5 bytes is too short for 1 values"),
    );
    let many = u32::try_from(MAX_VALUES).unwrap() + 1;
    let why = format!("a page has {many} values, expected at most {MAX_VALUES}");
    check(&single, &[page(Encoding::PLAIN, many, &[])], Err(&why));
}

#[test]
fn missing_or_short_dictionary_is_refused() {
    let single = column(Type::FLOAT, 0);
    let refers = || page(Encoding::RLE_DICTIONARY, 1, &[1, 2, 0]);
    check(&single, &[dictionary(1, &[0; 4]), refers()], Ok(()));
    check(
        &single,
        &[refers()],
        Err("a page refers to a dictionary, and there is none"),
    );
    check(
        &single,
        &[dictionary(2, &[0; 7])],
        Err("a dictionary of 7 bytes is too short for 2 values"),
    );
}

#[test]
fn levels_beyond_their_page_are_refused() {
    let list = column(Type::FLOAT, 1);
    let levels = [2, 0, 0, 0, 2, 1, 0, 0, 0, 0];
    check(&list, &[page(Encoding::PLAIN, 1, &levels)], Ok(()));
    check(
        &list,
        &[page(Encoding::PLAIN, 1, &levels[..9])],
        Err("a page ends in its levels"),
    );
    let second = |levels: u32, bytes: &[u8]| Page::DataPageV2 {
        buf: bytes.to_vec().into(),
        num_values: 1,
        encoding: Encoding::PLAIN,
        num_nulls: 0,
        num_rows: 1,
        def_levels_byte_len: levels,
        rep_levels_byte_len: levels,
        is_compressed: false,
        statistics: None,
    };
    check(&list, &[second(2, &[0; 8])], Ok(()));
    check(
        &list,
        &[second(5, &[0; 8])],
        Err("a page of 8 bytes has 10 bytes of levels"),
    );
    let most = u32::MAX;
    check(
        &list,
        &[second(most, &[])],
        Err("a page of 0 bytes has 8589934590 bytes of levels"),
    );
}

#[test]
fn endless_row_is_refused() {
    let budget = Budget::unlimited();
    let mut claims = Claims::new(&column(Type::FLOAT, 0), budget.clone());
    budget.set(5);
    claims.check(&page(Encoding::PLAIN, 5, &[0; 20])).unwrap();
    let error = claims
        .check(&page(Encoding::PLAIN, 1, &[0; 4]))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "Parquet error: a row does not end after the expected number of values"
    );
}
