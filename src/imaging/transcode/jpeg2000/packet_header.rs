//! Packet headers: bits and tag trees (ISO/IEC 15444-1 §B.10).

/// Bits of a packet header; a byte after FF has seven (§B.10.1).
#[derive(Debug, Default)]
pub(in crate::imaging::transcode) struct HeaderBits {
    bytes: Vec<u8>,
    current: u8,
    count: u32,
}

impl HeaderBits {
    /// The lowest `width` bits of `bits`, highest first.
    pub(in crate::imaging::transcode) fn put(&mut self, bits: u32, width: u32) {
        for place in (0..width).rev() {
            let bit = bits.checked_shr(place).unwrap_or(0) & 1;
            self.current = self.current << 1 | u8::from(bit == 1);
            self.count += 1;
            if self.count == self.room() {
                self.flush();
            }
        }
    }

    fn room(&self) -> u32 {
        if self.bytes.last() == Some(&0xFF) { 7 } else { 8 }
    }

    fn flush(&mut self) {
        self.bytes.push(self.current);
        self.current = 0;
        self.count = 0;
    }

    /// All bytes; the last one filled, and not FF.
    pub(in crate::imaging::transcode) fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            self.current <<= self.room() - self.count;
            self.flush();
        }
        if self.bytes.last() == Some(&0xFF) {
            self.bytes.push(0);
        }
        self.bytes
    }
}

/// Nodes of a level by rows, and how many a row has.
type Level = (usize, Vec<Node>);
/// A minimum, what is known of it, and whether all is.
type Node = (u32, u32, bool);

/// A tree of minima (§B.10.2).
#[derive(Debug)]
pub(in crate::imaging::transcode) struct TagTree {
    /// From the leaves up.
    levels: Vec<Level>,
}

impl TagTree {
    /// A tree of leaves in rows of `width`.
    pub(in crate::imaging::transcode) fn new(
        width: usize,
        height: usize,
        leaves: impl Iterator<Item = u32>,
    ) -> Self {
        let nodes = leaves.map(|value| (value, 0, false)).collect();
        let mut levels: Vec<Level> = vec![(width, nodes)];
        let (mut width, mut height) = (width, height);
        while width > 1 || height > 1 {
            let (across, down) = (width.div_ceil(2), height.div_ceil(2));
            let mut nodes = vec![(u32::MAX, 0, false); across * down];
            let below: &[Node] = &levels[levels.len() - 1].1;
            for (index, (value, ..)) in below.iter().enumerate() {
                let (x, y) = (index % width / 2, index / width / 2);
                let node = &mut nodes[y * across + x];
                node.0 = node.0.min(*value);
            }
            levels.push((across, nodes));
            (width, height) = (across, down);
        }
        Self { levels }
    }

    /// Says whether the leaf's value is below `threshold`.
    pub(in crate::imaging::transcode) fn put(
        &mut self,
        header: &mut HeaderBits,
        x: usize,
        y: usize,
        threshold: u32,
    ) {
        let mut low = 0;
        for (level, (width, nodes)) in self.levels.iter_mut().enumerate().rev() {
            let (value, known, all) = &mut nodes[(y >> level) * *width + (x >> level)];
            *known = (*known).max(low);
            while *known < threshold && !*all {
                if *known >= *value {
                    header.put(1, 1);
                    *all = true;
                } else {
                    header.put(0, 1);
                    *known += 1;
                }
            }
            low = *known;
        }
    }

    /// Says the leaf's value.
    pub(in crate::imaging::transcode) fn put_all(
        &mut self,
        header: &mut HeaderBits,
        x: usize,
        y: usize,
    ) {
        let value = self.levels.first().map_or(0, |(width, nodes)| nodes[y * width + x].0);
        self.put(header, x, y, value.saturating_add(1));
    }
}
