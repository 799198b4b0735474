use super::*;

/// A footer whose schema has elements with the given numbers of children, in order.
fn footer(children: &[u8]) -> Vec<u8> {
    let count = u8::try_from(children.len()).unwrap();
    // Version 2, then a list of structs with their number in the next byte.
    let mut bytes = vec![0x15, 0x04, 0x19, 0xfc, count];
    for &count in children {
        // Type INT32, name "x", number of children.
        bytes.extend([0x15, 0x02, 0x38, 0x01, b'x', 0x15, count << 1, 0x00]);
    }
    bytes.push(0x00);
    bytes
}

#[test]
fn missing_children_and_deep_nesting_are_refused() {
    let check = |children: &[u8], expect: Result<(), &str>| {
        let found = check(&footer(children));
        assert_eq!(
            found.as_ref().map_err(String::as_str),
            expect.as_ref().map_err(|e| *e)
        );
    };
    check(&[2, 0, 1, 0], Ok(()));
    let more = "element 2 of its schema has more children than the 1 that follow";
    check(&[2, 0, 2, 0], Err(more));
    check(
        &[1; MAX_DEPTH],
        Err("element 31 of its schema has more children than the 0 that follow"),
    );
    let mut deep = vec![1; MAX_DEPTH + 1];
    deep.push(0);
    check(
        &deep,
        Err("its schema has more than 32 groups inside one another"),
    );
    deep.remove(0);
    check(&deep, Ok(()));
}

#[test]
fn truncated_or_endless_schema_is_error() {
    let whole = footer(&[1, 0]);
    for end in 0..whole.len() - 1 {
        assert!(check(&whole[..end]).is_err(), "{end}");
    }
    assert!(check(&[0x1c; 100_000]).unwrap_err().contains("without end"));
    assert!(check(&[0x19; 100_000]).unwrap_err().contains("without end"));
    let endless = [&[0x15][..], &[0xff; 20]].concat();
    assert!(check(&endless).unwrap_err().contains("does not end"));
}
