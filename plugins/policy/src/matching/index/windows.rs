//! From a few bytes in a text to the rules that demand them.

use std::cmp::Reverse;

/// How many bytes are looked at together: the most that a rule's texts have.
const WIDTHS: [usize; 3] = [8, 4, 2];

/// At most this many counters, of one byte each, while an index is built.
const MAX_COUNTERS: usize = 1 << 20;

/// A table of windows: the bytes of a text from one place on, as many as one of [`WIDTHS`] says.
#[derive(Clone, Debug, Default)]
pub(super) struct Windows {
    /// Which widths occur.
    widths: Vec<usize>,
    /// A bit for each hash that occurs: most windows of a request end here.
    filter: Box<[u64]>,
    /// Sorted.
    rules: Box<[(u64, u32)]>,
}

impl Windows {
    /// Appends the rules whose windows `text` holds, a rule perhaps several times.
    pub(super) fn look_up(&self, text: &str, numbers: &mut Vec<u32>) {
        for width in &self.widths {
            for window in windows(text, *width) {
                if self.may_hold(window) {
                    let first = self.rules.partition_point(|(other, _)| *other < window);
                    let rules = self.rules.iter().skip(first);
                    let same = rules.take_while(|(other, _)| *other == window);
                    numbers.extend(same.map(|(_, number)| number));
                }
            }
        }
    }

    fn may_hold(&self, window: u64) -> bool {
        let (word, mask) = bit(window, self.filter.len());
        self.filter.get(word).is_some_and(|word| word & mask != 0)
    }
}

/// Chooses a window for each rule.
pub(super) struct WindowsBuilder {
    /// How many texts hold the windows with one hash, or a little more; up to 255.
    counters: Vec<u8>,
    rules: Vec<(u64, u32)>,
    widths: Vec<usize>,
}

impl WindowsBuilder {
    /// For rules that demand the texts that `texts` gives.
    pub(super) fn for_texts<'t, T: Iterator<Item = &'t str>>(texts: impl Fn() -> T) -> Self {
        let bytes = texts().map(str::len).sum::<usize>();
        let size = bytes
            .saturating_mul(2)
            .next_power_of_two()
            .min(MAX_COUNTERS);
        let mut counters = vec![0_u8; size];
        for text in texts() {
            for window in widest(text) {
                if let Some(counter) = counters.get_mut(slot(window, size)) {
                    *counter = counter.saturating_add(1);
                }
            }
        }
        Self {
            counters,
            rules: Vec::new(),
            widths: Vec::new(),
        }
    }

    /// Files the rule `number` under the rarest window of its texts, a wide one rather than a
    /// narrow; false if they have none.
    pub(super) fn add<'t>(&mut self, texts: impl Iterator<Item = &'t str>, number: u32) -> bool {
        let windows = texts.flat_map(|text| {
            let width = width(text).unwrap_or_default();
            widest(text).map(move |window| (width, window))
        });
        // Of several the last: what tells rules apart stands far behind.
        let rarest = windows.max_by_key(|(width, window)| {
            let counter = self.counters.get(slot(*window, self.counters.len()));
            (Reverse(counter.copied().unwrap_or(u8::MAX)), *width)
        });
        let Some((width, window)) = rarest else {
            return false;
        };
        if !self.widths.contains(&width) {
            self.widths.push(width);
        }
        self.rules.push((window, number));
        true
    }

    pub(super) fn finish(mut self) -> Windows {
        self.rules.sort_unstable();
        let words = self.rules.len().next_power_of_two() / 4;
        let mut filter = vec![0_u64; words.max(1)];
        let size = filter.len();
        for (window, _) in &self.rules {
            let (word, mask) = bit(*window, size);
            if let Some(word) = filter.get_mut(word) {
                *word |= mask;
            }
        }
        Windows {
            widths: self.widths,
            filter: filter.into(),
            rules: self.rules.into(),
        }
    }
}

/// The windows of the greatest width that `text` has.
fn widest(text: &str) -> impl Iterator<Item = u64> {
    width(text)
        .into_iter()
        .flat_map(|width| windows(text, width))
}

fn width(text: &str) -> Option<usize> {
    WIDTHS.into_iter().find(|width| text.len() >= *width)
}

/// Narrow windows are told from wide ones by what they are filled up with.
fn windows(text: &str, width: usize) -> impl Iterator<Item = u64> {
    text.as_bytes().windows(width).map(|bytes| {
        let mut window = [0xff; 8];
        for (to, from) in window.iter_mut().zip(bytes) {
            *to = *from;
        }
        u64::from_le_bytes(window)
    })
}

/// Spreads windows over `size` places, a power of two.
fn slot(window: u64, size: usize) -> usize {
    let hash = window.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from(hash >> 32).unwrap_or_default() & size.saturating_sub(1)
}

/// The place of a window among the bits of `words` words.
fn bit(window: u64, words: usize) -> (usize, u64) {
    let slot = slot(window, words.saturating_mul(64));
    let mask = 1_u64.wrapping_shl(u32::try_from(slot & 63).unwrap_or_default());
    (slot / 64, mask)
}
