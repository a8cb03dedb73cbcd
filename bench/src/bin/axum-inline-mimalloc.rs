//! axum-inline with mimalloc, an allocator that asks the system for huge pages: the memory of a hash is read
//! in an order that misses the processor's TLB with small ones.

#[path = "axum-inline.rs"]
mod axum_inline;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    axum_inline::main()
}
