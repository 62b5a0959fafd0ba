//! Members that an object has twice: readers differ in which one they take, so that either may be wrong.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::feed::json::text::Nesting;

/// The path of a member that an object has twice with different values. `object` is what was read of the text.
pub(super) fn differing(text: &str, object: &Map<String, Value>) -> Option<String> {
    // Every member has one colon outside of texts: most objects are not read twice.
    let mut nesting = Nesting::default();
    let colons = text
        .bytes()
        .filter(|byte| nesting.step(*byte) && *byte == b':');
    if colons.count() == members_of(object) {
        return None;
    }
    let node: Node = serde_json::from_str(text).ok()?;
    node.differing()
}

fn members_of(object: &Map<String, Value>) -> usize {
    object.len() + object.values().map(members_in).sum::<usize>()
}

fn members_in(value: &Value) -> usize {
    match value {
        Value::Object(members) => members_of(members),
        Value::Array(values) => values.iter().map(members_in).sum(),
        _ => 0,
    }
}

/// A value with all members that its objects have.
#[derive(Debug, PartialEq)]
enum Node {
    Object(Vec<(String, Node)>),
    Array(Vec<Node>),
    Other(Value),
}

impl Node {
    fn differing(&self) -> Option<String> {
        match self {
            Self::Object(members) => {
                let mut seen: HashMap<&str, &Self> = HashMap::new();
                members.iter().find_map(|(name, value)| {
                    if seen
                        .insert(name, value)
                        .is_some_and(|before| before != value)
                    {
                        return Some(name.clone());
                    }
                    value.differing().map(|inner| format!("{name}.{inner}"))
                })
            }
            Self::Array(values) => values.iter().find_map(Self::differing),
            Self::Other(_) => None,
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Nodes)
    }
}

struct Nodes;

impl<'de> Visitor<'de> for Nodes {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of JSON")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Node, E> {
        Ok(Node::Other(flag.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Other(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Other(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
        Ok(Node::Other(number.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Other(text.into()))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Other(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = values.next_element()? {
            nodes.push(node);
        }
        Ok(Node::Array(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(member) = members.next_entry()? {
            nodes.push(member);
        }
        Ok(Node::Object(nodes))
    }
}
