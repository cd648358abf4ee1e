//! Unpredictable bytes, drawn from the seed that the driver gave the engine.

use crate::digest::keyed;

/// A generator: HMAC-SHA-256 over a counter, under the seed. Whoever does not know the seed cannot tell its
/// output from chance; whoever replays an engine with the same seed gets the same bytes.
pub(crate) struct Entropy {
    seed: [u8; 32],
    drawn: u64,
}

impl Entropy {
    pub(crate) const fn new(seed: [u8; 32]) -> Self {
        Self { seed, drawn: 0 }
    }

    /// The next 32 bytes.
    pub(crate) fn draw(&mut self) -> [u8; 32] {
        self.drawn = self.drawn.wrapping_add(1);
        self.derive(b"draw", &self.drawn.to_be_bytes())
    }

    /// A secret for one purpose: the same bytes for the same seed, `purpose` and `input`.
    pub(crate) fn derive(&self, purpose: &[u8], input: &[u8]) -> [u8; 32] {
        keyed(&self.seed, &[purpose, input])
    }

    /// A random (version 4) UUID (RFC 9562 section 5.4).
    pub(crate) fn uuid(&mut self) -> String {
        let bytes = self.draw();
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] = bytes;
        let (g, i) = ((g & 0x0f) | 0x40, (i & 0x3f) | 0x80);
        format!(
            "{a:02x}{b:02x}{c:02x}{d:02x}-{e:02x}{f:02x}-{g:02x}{h:02x}-{i:02x}{j:02x}-\
             {k:02x}{l:02x}{m:02x}{n:02x}{o:02x}{p:02x}"
        )
    }
}

impl std::fmt::Debug for Entropy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entropy(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_bytes_again_and_never_the_same_twice() {
        let (mut one, mut other) = (Entropy::new([1; 32]), Entropy::new([1; 32]));
        let first = one.draw();
        assert_eq!(first, other.draw());
        assert_ne!(first, one.draw());
        assert_ne!(first, Entropy::new([2; 32]).draw());
        assert_ne!(one.derive(b"aaaa", b"x"), one.derive(b"bbbb", b"x"));
    }

    #[test]
    fn a_uuid_says_that_it_is_random() {
        let uuid = Entropy::new([7; 32]).uuid();
        let parts: Vec<_> = uuid.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert_eq!(uuid.chars().nth(14), Some('4'));
        assert!(uuid.chars().nth(19).is_some_and(|c| "89ab".contains(c)));
    }
}
