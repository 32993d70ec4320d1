//! A disk that keeps for sure only what was synced, and of the rest what it likes.

use std::collections::BTreeMap;

use super::recording::Event;

/// What a disk writes whole or not at all, in bytes.
const SECTOR: usize = 512;

/// What a cut leaves of what was not synced.
#[derive(Debug, Clone, Copy)]
pub enum Loss {
    /// Nothing of it.
    Everything,
    /// All of it, as after a crash of the program alone.
    Nothing,
    /// Its beginning, in the order of the writes; the last one is torn. The share that is left, in thirds.
    Torn(usize),
    /// Any sectors of it, in no order.
    Shuffled(u64),
}

#[derive(Debug, Clone)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Truncate(usize),
}

/// A file by itself, whatever its name.
#[derive(Debug, Clone, Default)]
struct Inode {
    synced: Vec<u8>,
    /// Not synced, each with the line at which it was over.
    pending: Vec<(usize, Change)>,
}

/// The disk.
#[derive(Debug, Default)]
pub struct Disk {
    inodes: Vec<Inode>,
    /// What names stand for now.
    names: BTreeMap<String, usize>,
    /// What they stood for when the directory was synced last.
    synced_names: BTreeMap<String, usize>,
}

/// Files by name.
pub type Files = BTreeMap<String, Vec<u8>>;

impl Disk {
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Create(name) => {
                if !self.names.contains_key(name) {
                    self.inodes.push(Inode::default());
                    self.names.insert(name.clone(), self.inodes.len() - 1);
                }
            }
            Event::Unlink(name) => drop(self.names.remove(name)),
            Event::Write { file, offset, bytes, over } => {
                self.push(file, *over, Change::Write { offset: *offset, bytes: bytes.clone() });
            }
            Event::Truncate { file, length, over } => self.push(file, *over, Change::Truncate(*length)),
            Event::Sync { file, .. } if file.is_empty() => self.synced_names = self.names.clone(),
            Event::Sync { file, begun } => {
                let Some(inode) = self.names.get(file).map(|at| &mut self.inodes[*at]) else { return };
                let (covered, rest) = inode.pending.drain(..).partition(|(over, _)| over < begun);
                inode.pending = rest;
                let covered: Vec<(usize, Change)> = covered;
                covered.iter().for_each(|(_, change)| change.apply(&mut inode.synced));
            }
            Event::Answer(_) => {}
        }
    }

    fn push(&mut self, file: &str, over: usize, change: Change) {
        // What is open without a name any more is of no use after a cut.
        if let Some(at) = self.names.get(file) {
            self.inodes[*at].pending.push((over, change));
        }
    }

    /// What is found when the power is back.
    pub fn after(&self, loss: &Loss, point: u64) -> Files {
        let mut chance = Chance::of(loss, point);
        let names = match loss {
            Loss::Everything => &self.synced_names,
            Loss::Shuffled(_) if chance.half() => &self.synced_names,
            _ => &self.names,
        };
        let file = |(name, at): (&String, &usize)| {
            let inode = &self.inodes[*at];
            let mut bytes = inode.synced.clone();
            inode.leave(loss, &mut chance, &mut bytes);
            (name.clone(), bytes)
        };
        names.iter().map(file).collect()
    }
}

impl Inode {
    fn leave(&self, loss: &Loss, chance: &mut Chance, bytes: &mut Vec<u8>) {
        match loss {
            Loss::Everything => {}
            Loss::Nothing => self.pending.iter().for_each(|(_, change)| change.apply(bytes)),
            Loss::Torn(thirds) => {
                let left = self.pending.len() * thirds / 3;
                self.pending[..left].iter().for_each(|(_, change)| change.apply(bytes));
                if let Some((_, torn)) = self.pending.get(left) {
                    torn.sectors().iter().take(1 + left % 8).for_each(|change| change.apply(bytes));
                }
            }
            Loss::Shuffled(_) => {
                let mut sectors: Vec<Change> =
                    self.pending.iter().flat_map(|(_, change)| change.sectors()).collect();
                sectors.retain(|_| chance.half());
                for at in (1..sectors.len()).rev() {
                    // Of two writes of one sector the later one wins; others change places.
                    let other = chance.below(at + 1);
                    if !sectors[at].meets(&sectors[other]) {
                        sectors.swap(at, other);
                    }
                }
                sectors.iter().for_each(|change| change.apply(bytes));
            }
        }
    }
}

impl Change {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Self::Truncate(length) => to.resize(*length, 0),
            Self::Write { offset, bytes } => {
                let end = offset + bytes.len();
                if to.len() < end {
                    to.resize(end, 0);
                }
                to[*offset..end].copy_from_slice(bytes);
            }
        }
    }

    /// The same, in pieces that are written whole or not at all.
    fn sectors(&self) -> Vec<Self> {
        let Self::Write { offset, bytes } = self else { return vec![self.clone()] };
        let (mut pieces, mut at) = (Vec::new(), 0);
        while at < bytes.len() {
            let end = bytes.len().min(at + SECTOR - (offset + at) % SECTOR);
            pieces.push(Self::Write { offset: offset + at, bytes: bytes[at..end].to_vec() });
            at = end;
        }
        pieces
    }

    fn meets(&self, other: &Self) -> bool {
        let sector = |change: &Self| match change {
            Self::Write { offset, .. } => Some(offset / SECTOR),
            Self::Truncate(_) => None,
        };
        let (Some(here), Some(there)) = (sector(self), sector(other)) else { return true };
        here == there
    }
}

/// The same numbers for the same seed (SplitMix64).
struct Chance(u64);

impl Chance {
    fn of(loss: &Loss, point: u64) -> Self {
        let seed = if let Loss::Shuffled(seed) = loss { *seed } else { 0 };
        Self(seed.wrapping_mul(1_000_003) ^ point)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn half(&mut self) -> bool {
        self.next().is_multiple_of(2)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}
