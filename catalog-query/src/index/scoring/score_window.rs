//! The scores of consecutive documents, one word of the query at a time.

/// The number of documents that are scored together: their scores stay in the cache.
pub(super) const WINDOW_DOCS: u32 = 2_048;

/// The words of the query that a document has, as bits by their number.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Words {
    pub(super) any: u32,
    /// Without those that are only the beginning of a word.
    pub(super) whole: u32,
}

/// The scores of consecutive documents, one word at a time. Bits mark the documents that have any
/// score.
pub(super) struct ScoreWindow {
    touched: Vec<u64>,
    has_word: Vec<u64>,
    has_whole: Vec<u64>,
    best: Vec<f32>,
    sum: Vec<f32>,
    total: Vec<f32>,
    bonus: Vec<f32>,
    words: Vec<Words>,
}

impl ScoreWindow {
    pub(super) fn new() -> Self {
        let (size, bits) = (WINDOW_DOCS as usize, WINDOW_DOCS as usize / 64);
        Self {
            touched: vec![0; bits],
            has_word: vec![0; bits],
            has_whole: vec![0; bits],
            best: vec![0.0; size],
            sum: vec![0.0; size],
            total: vec![0.0; size],
            bonus: vec![0.0; size],
            words: vec![Words::default(); size],
        }
    }

    pub(super) fn add(&mut self, place: usize, score: f32, is_whole: bool) {
        self.has_word[place / 64] |= 1 << (place % 64);
        self.has_whole[place / 64] |= u64::from(is_whole) << (place % 64);
        self.best[place] = self.best[place].max(score);
        self.sum[place] += score;
    }

    pub(super) fn add_bonus(&mut self, place: usize, score: f32) {
        self.bonus[place] = self.bonus[place].max(score);
        self.touch(place);
    }

    pub(super) fn touch(&mut self, place: usize) {
        self.touched[place / 64] |= 1 << (place % 64);
    }

    /// Adds the scores of a finished word to the totals. A word counts in its best field, and the
    /// other fields only add the tie breaker's share.
    pub(super) fn end_word(&mut self, word: usize, tie_breaker: f32) {
        let wholes = self.has_whole.iter_mut();
        for (at, (bits, wholes)) in self.has_word.iter_mut().zip(wholes).enumerate() {
            self.touched[at] |= *bits;
            while *bits != 0 {
                let bit = bits.trailing_zeros();
                let place = at * 64 + bit as usize;
                *bits &= *bits - 1;
                let (best, sum) = (self.best[place], self.sum[place]);
                self.total[place] += best + tie_breaker * (sum - best);
                self.words[place].any |= 1 << word;
                self.words[place].whole |= ((*wholes >> bit & 1) as u32) << word;
                (self.best[place], self.sum[place]) = (0.0, 0.0);
            }
            *wholes = 0;
        }
    }

    /// Calls `found` with the place, the words and the score of each touched document, and resets
    /// it.
    pub(super) fn drain(&mut self, mut found: impl FnMut(u32, Words, f32)) {
        for (at, bits) in self.touched.iter_mut().enumerate() {
            while *bits != 0 {
                let place = at * 64 + bits.trailing_zeros() as usize;
                *bits &= *bits - 1;
                let score = self.total[place] + self.bonus[place];
                found(place as u32, self.words[place], score);
                (self.total[place], self.bonus[place]) = (0.0, 0.0);
                self.words[place] = Words::default();
            }
        }
    }
}
