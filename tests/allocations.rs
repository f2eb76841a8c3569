//! After the first text of a kind and size, making a signature allocates nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use retold::{MinHasher, Scheme, Shingle, SimHasher};

/// Counts the allocations of each thread; tests run on several.
struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: hands everything to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The sample articles of all languages, and a text of odd words: decomposed, wide, with joiners, very long.
fn texts() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/texts");
    let files = std::fs::read_dir(folder).unwrap().map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    let odd = "Cafe\u{301} Vie\u{302}\u{323}t ＦＵＬＬ ﬁne Straße co\u{ad}operate it’s rock’n’roll ";
    files.chain([odd.repeat(20), "long’s".repeat(2000)]).collect()
}

fn allocations_of_the_second_run(mut run: impl FnMut()) -> usize {
    run();
    let before = COUNT.get();
    run();
    COUNT.get() - before
}

#[test]
fn minhash_of_a_text_allocates_nothing() {
    let texts = texts();
    for shingle in [Shingle::Words(1), Shingle::Words(5), Shingle::Chars(5)] {
        let mut hasher = MinHasher::new(Scheme::minhash(shingle)).unwrap();
        let mut signature = hasher.sign(&texts[0]).unwrap();
        let count = allocations_of_the_second_run(|| {
            for text in &texts {
                hasher.sign_into(text, &mut signature);
            }
        });
        assert_eq!(count, 0, "{shingle}");
    }
}

#[test]
fn simhash_of_a_text_allocates_nothing() {
    let texts = texts();
    for shingle in [Shingle::Words(1), Shingle::Words(5), Shingle::Chars(5)] {
        let mut hasher = SimHasher::new(Scheme::simhash(shingle)).unwrap();
        let count = allocations_of_the_second_run(|| {
            for text in &texts {
                std::hint::black_box(hasher.sign(text));
            }
        });
        assert_eq!(count, 0, "{shingle}");
    }
}

#[test]
fn weighted_signatures_allocate_nothing() {
    let elements = || (0..1000u64).map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15), 1 + (i % 4) as u32));
    let mut hasher = MinHasher::new(Scheme::weighted_minhash()).unwrap();
    let mut signature = hasher.weighted(elements()).unwrap().unwrap();
    let count = allocations_of_the_second_run(|| assert!(hasher.weighted_into(elements(), &mut signature).unwrap()));
    assert_eq!(count, 0);
    let mut hasher = SimHasher::new(Scheme::weighted_simhash()).unwrap();
    assert_eq!(allocations_of_the_second_run(|| drop(hasher.weighted(elements()))), 0);
}
