//! Checks the schema in the bytes of a footer before the parquet crate parses it.
//!
//! The footer is a struct in Thrift's compact protocol. Its second field is the list of schema elements. Each element
//! is a struct whose fifth field is the number of its children among the elements that follow.

/// Largest nesting depth of groups. A list needs two groups, and logits are not inside structs.
const MAX_DEPTH: usize = 32;

/// Checks that no group claims more children than elements follow, and that groups are not nested deeper than
/// [`MAX_DEPTH`].
pub(super) fn check(footer: &[u8]) -> Result<(), String> {
    let mut thrift = Thrift(footer);
    let mut field = 0;
    while let Some((id, kind)) = thrift.field(field)? {
        if (id, kind) == (2, LIST) {
            let (kind, count) = thrift.list()?;
            if kind != STRUCT {
                return Err("its schema is not a list of elements".to_owned());
            }
            return elements(&mut thrift, count);
        }
        thrift.skip(kind, 0)?;
        field = id;
    }
    Err("it has no schema".to_owned())
}

fn elements(thrift: &mut Thrift, count: usize) -> Result<(), String> {
    // Number of children still to come, for each open group.
    let mut open: Vec<usize> = Vec::new();
    for element in 0..count {
        let mut children = 0;
        let mut field = 0;
        while let Some((id, kind)) = thrift.field(field)? {
            match (id, kind) {
                (5, I32) => children = thrift.integer()?,
                _ => thrift.skip(kind, 0)?,
            }
            field = id;
        }
        let after = count - element - 1;
        let children = usize::try_from(children).ok().filter(|&n| n <= after);
        let children = children.ok_or_else(|| {
            format!(
                "element {element} of its schema has more children than the {after} that follow"
            )
        })?;
        if let Some(left) = open.last_mut() {
            *left -= 1;
        }
        open.push(children);
        while open.last() == Some(&0) {
            open.pop();
        }
        if open.len() > MAX_DEPTH {
            return Err(format!(
                "its schema has more than {MAX_DEPTH} groups inside one another"
            ));
        }
    }
    Ok(())
}

// Type codes of the compact protocol.
const BOOLEANS: [u8; 2] = [1, 2];
const BYTE: u8 = 3;
const I16: u8 = 4;
const I32: u8 = 5;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
const STRUCT: u8 = 12;

/// The bytes that are still to be read.
struct Thrift<'a>(&'a [u8]);

impl Thrift<'_> {
    fn byte(&mut self) -> Result<u8, String> {
        let (&byte, rest) = self.0.split_first().ok_or("it ends in its schema")?;
        self.0 = rest;
        Ok(byte)
    }

    fn bytes(&mut self, count: usize) -> Result<(), String> {
        self.0 = self.0.get(count..).ok_or("it ends in its schema")?;
        Ok(())
    }

    fn varint(&mut self) -> Result<u64, String> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("a number in it does not end".to_owned())
    }

    fn size(&mut self) -> Result<usize, String> {
        usize::try_from(self.varint()?).map_err(|e| e.to_string())
    }

    /// A signed number in zigzag encoding: the lowest bit is the sign.
    fn integer(&mut self) -> Result<i64, String> {
        let value = self.varint()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    /// Number and type of the field after field `last`; `None` at the end of the struct.
    fn field(&mut self, last: i64) -> Result<Option<(i64, u8)>, String> {
        let byte = self.byte()?;
        let (delta, kind) = (byte >> 4, byte & 0x0f);
        match (delta, kind) {
            (_, 0) => Ok(None),
            (0, _) => Ok(Some((self.integer()?, kind))),
            _ => Ok(Some((last.wrapping_add(delta.into()), kind))),
        }
    }

    /// Type and number of the elements of a list.
    fn list(&mut self) -> Result<(u8, usize), String> {
        let byte = self.byte()?;
        let count = match byte >> 4 {
            15 => self.size()?,
            short => short.into(),
        };
        // Each element takes at least one byte.
        if count > self.0.len() {
            return Err(format!(
                "a list in it has {count} elements, more than bytes"
            ));
        }
        Ok((byte & 0x0f, count))
    }

    fn skip(&mut self, kind: u8, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err("its values are nested without end".to_owned());
        }
        match kind {
            // A boolean field has its value in the type code and no further bytes.
            1 | 2 => Ok(()),
            BYTE => self.bytes(1),
            I16 | I32 | I64 => self.varint().map(drop),
            DOUBLE => self.bytes(8),
            BINARY => {
                let size = self.size()?;
                self.bytes(size)
            }
            LIST | SET => {
                let (kind, count) = self.list()?;
                for _ in 0..count {
                    self.element(kind, depth)?;
                }
                Ok(())
            }
            MAP => {
                let count = self.size()?;
                let kinds = if count > 0 { self.byte()? } else { 0 };
                for _ in 0..count {
                    self.element(kinds >> 4, depth)?;
                    self.element(kinds & 0x0f, depth)?;
                }
                Ok(())
            }
            STRUCT => {
                let mut last = 0;
                while let Some((id, kind)) = self.field(last)? {
                    self.skip(kind, depth + 1)?;
                    last = id;
                }
                Ok(())
            }
            _ => Err(format!("a value in it has the type {kind}")),
        }
    }

    /// Skips an element of a list. In a list a boolean takes one byte.
    fn element(&mut self, kind: u8, depth: usize) -> Result<(), String> {
        if BOOLEANS.contains(&kind) {
            self.bytes(1)
        } else {
            self.skip(kind, depth + 1)
        }
    }
}

#[cfg(test)]
mod tests;
