use super::*;

#[test]
fn headers_written_by_numpy_are_parsed() {
    let check = |text: &str, descr: Option<&str>, shape: &[u64]| {
        let expect = Header {
            descr: descr.map(str::to_owned),
            fortran_order: false,
            shape: shape.to_vec(),
        };
        assert_eq!(parse(text), Ok(expect), "{text}");
    };
    check(
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }     \n",
        Some("<f4"),
        &[3, 4],
    );
    check(
        "{\"shape\":(3L,),\"fortran_order\":False,\"descr\":\"|u1\"}",
        Some("|u1"),
        &[3],
    );
    check(
        "{'descr': '<f4', 'fortran_order': False, 'shape': ()}",
        Some("<f4"),
        &[],
    );
    check(
        "{'descr': [('a', '<f4', (2,)), ('b', [('c', '<i8')])], 'fortran_order': False, 'shape': (3,), }",
        None,
        &[3],
    );
}

#[test]
fn invalid_header_is_named_with_byte_offset() {
    let check = |text: &str, expect: &str| assert_eq!(parse(text).unwrap_err(), expect);
    check("", "at byte 0 of it: ``, expected `{`");
    check("{'descr': '<f4'", "at byte 15 of it: ``, expected `}`");
    check("{'descr': '<f4'}", "the key `fortran_order` is missing");
    check(
        "{'descr': '<f4', 'descr': '<f4'}",
        "the key `descr` is there twice",
    );
    check("{'order': 1}", "there is a key `order`");
    check(
        "{'shape': (-1,)}",
        "at byte 11 of it: `-1,)}`, expected a number",
    );
    check(
        "{'fortran_order': 1}",
        "at byte 17 of it: ` 1}`, expected True or False",
    );
    check(
        "{'descr': [[}",
        "at byte 10 of it: `[[}`, expected a list that ends",
    );
    let long = format!("{{'shape': ({},)}}", u128::MAX);
    assert!(parse(&long).unwrap_err().ends_with("expected a number"));
    let ended = "{'descr': '<f4', 'fortran_order': False, 'shape': ()} 1";
    check(ended, "at byte 54 of it: `1`, expected its end");
}
