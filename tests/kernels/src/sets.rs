//! Random sets of parameters, within what lictor accepts of a stored hash but with less memory.

use argon2_rust::{Algorithm, Version};

/// Most bytes of a password; lictor's own have 1,024, those of other programs any number.
const PASSWORD: usize = 4_096;
/// Most KiB, so that thousands of sets take seconds. Segments of more than 128 blocks need several
/// blocks of addresses; they begin at 512 KiB and one lane.
const MEMORY_KIB: usize = 1_500;

/// Numbers that look random, told by a seed (xorshift64*).
pub struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Numbers {
        Numbers(seed | 1)
    }

    /// From `least` to `most`.
    fn from(&mut self, least: usize, most: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        least + number as usize % (most - least + 1)
    }

    /// Small ones more often, the ends too: lengths where code takes another way are small.
    fn length(&mut self, least: usize, most: usize) -> usize {
        match self.from(0, 5) {
            0 => least,
            1 => most,
            2 | 3 => self.from(least, most.min(least + 200)),
            _ => self.from(least, most),
        }
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.from(0, 255) as u8).collect()
    }

    /// What can be an argument of a command.
    fn letters(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.from(b'a'.into(), b'z'.into()) as u8).collect()
    }
}

#[derive(Debug)]
pub struct Set {
    pub algorithm: Algorithm,
    pub version: Version,
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
    pub password: Vec<u8>,
    pub salt: Vec<u8>,
    pub data: Vec<u8>,
    pub length: usize,
}

impl Set {
    /// A random set; one for the C reference's command has a password of at most 127 bytes, which is
    /// all that the command reads, a salt of letters, and no associated data.
    pub fn random(numbers: &mut Numbers, for_c: bool) -> Set {
        let lanes = if numbers.from(0, 1) == 0 { 1 } else { numbers.from(1, 16) } as u32;
        let least = 8 * lanes as usize;
        // The usual kind twice as often as each other one.
        let algorithm =
            [Algorithm::Argon2id, Algorithm::Argon2id, Algorithm::Argon2i, Algorithm::Argon2d]
                [numbers.from(0, 3)];
        let version = [Version::V0x13, Version::V0x13, Version::V0x10][numbers.from(0, 2)];
        let memory_kib = numbers.length(least, MEMORY_KIB) as u32;
        let passes = numbers.from(1, 4) as u32;
        let salt = numbers.length(8, 64);
        let password = numbers.length(0, PASSWORD);
        let data = numbers.length(0, 32);
        let length = numbers.length(4, 512);
        let (password, salt, data) = match for_c {
            true => (numbers.letters(password.clamp(1, 127)), numbers.letters(salt), Vec::new()),
            false => (numbers.bytes(password), numbers.bytes(salt), numbers.bytes(data)),
        };
        Set { algorithm, version, memory_kib, passes, lanes, password, salt, data, length }
    }
}
