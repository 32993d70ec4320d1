//! Prefixes in a tree of their bytes. Looking one up takes the bytes of the path once, however many there are.

/// Numbers by the prefix under which they were put.
#[derive(Debug, Default)]
pub(super) struct Trie {
    root: Node,
}

#[derive(Debug, Default)]
struct Node {
    /// What leads here from the parent.
    edge: Box<[u8]>,
    /// Each begins with another byte.
    children: Vec<Node>,
    values: Vec<usize>,
}

impl Trie {
    /// Puts a number under a prefix.
    pub fn insert(&mut self, prefix: &[u8], value: usize) {
        let (mut node, mut rest) = (&mut self.root, prefix);
        while let Some(first) = rest.first() {
            let at = match node.children.iter().position(|child| child.edge.first() == Some(first)) {
                Some(at) => at,
                None => {
                    node.children.push(Node { edge: rest.into(), ..Node::default() });
                    node.children.len() - 1
                }
            };
            let child = &mut node.children[at];
            let shared = child.edge.iter().zip(rest).take_while(|(a, b)| a == b).count();
            if shared < child.edge.len() {
                child.split(shared);
            }
            rest = &rest[shared..];
            node = child;
        }
        node.values.push(value);
    }

    /// Each number whose prefix the path has, with the prefix's length; shorter ones first.
    pub fn walk(&self, path: &[u8], found: &mut impl FnMut(usize, usize)) {
        let (mut node, mut at) = (&self.root, 0);
        loop {
            for value in &node.values {
                found(*value, at);
            }
            let next = node.children.iter().find(|child| path[at..].starts_with(&child.edge));
            let Some(child) = next else { return };
            at += child.edge.len();
            node = child;
        }
    }
}

impl Node {
    /// Makes a node of the first bytes of its edge, with the rest as its one child.
    fn split(&mut self, at: usize) {
        let (first, rest) = self.edge.split_at(at);
        let (first, rest) = (first.into(), rest.into());
        let child = Node {
            edge: rest,
            children: std::mem::take(&mut self.children),
            values: std::mem::take(&mut self.values),
        };
        self.edge = first;
        self.children.push(child);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_finds_what_a_list_finds(
            prefixes in proptest::collection::vec("[ab/]{0,6}", 0..30),
            path in "[ab/]{0,10}",
        ) {
            let mut trie = Trie::default();
            for (value, prefix) in prefixes.iter().enumerate() {
                trie.insert(prefix.as_bytes(), value);
            }
            let mut found = Vec::new();
            trie.walk(path.as_bytes(), &mut |value, length| found.push((value, length)));
            found.sort_unstable();
            let by_list = prefixes.iter().enumerate().filter(|(_, prefix)| path.starts_with(prefix.as_str()));
            let mut expected: Vec<_> = by_list.map(|(value, prefix)| (value, prefix.len())).collect();
            expected.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}
