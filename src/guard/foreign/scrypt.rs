//! scrypt: PHC strings and passlib (`$scrypt$ln=16,r=8,p=1$salt$output`), Django
//! (`scrypt$16384$salt$8$5$output`) and Werkzeug (`scrypt:32768:8:1$salt$output`).

use lictor_engine::kdf::{ScryptCost, scrypt};
use zeroize::Zeroizing;

use super::text::{base64, base64_unpadded, hex, number, parts, text_salt};
use super::{Compare, MIN_OUTPUT, Parsed, Refusal, equal};

/// Maximum memory of a hash that is computed: 256 MiB.
const MAX_MEMORY: u64 = 256 * 1024 * 1024;
/// Maximum of `N * r * p`: four times the default of passlib, some 0.8 seconds.
const MAX_WORK: u64 = 1 << 21;
/// Maximum of `r * p`, which takes 128 bytes each beside the memory above.
const MAX_BLOCKS: u64 = 4096;
/// Bytes of an output in Django and Werkzeug.
const LONG_OUTPUT: usize = 64;
/// Bytes of an output in a PHC string; passlib's has 32.
const OUTPUTS: std::ops::RangeInclusive<usize> = MIN_OUTPUT..=64;

/// A stored hash.
pub(super) struct Scrypt {
    cost: ScryptCost,
    salt: Vec<u8>,
    output: Vec<u8>,
}

impl Scrypt {
    /// Reads `ln=16,r=8,p=1$salt$output`, both in base64 without padding.
    pub(super) fn phc(rest: &str) -> Parsed<Scrypt> {
        let [settings, salt, output] = parts(rest).ok_or(Refusal::Malformed)?;
        let mut settings = settings.split(',');
        let mut value = |name| settings.next()?.strip_prefix(name).and_then(number);
        let values = (value("ln="), value("r="), value("p="));
        let (Some(log_n), Some(r), Some(p)) = values else { return Err(Refusal::Malformed) };
        let n = u32::try_from(log_n).ok().and_then(|log_n| 1_u64.checked_shl(log_n));
        let output = base64_unpadded(output).filter(|output| OUTPUTS.contains(&output.len()));
        let salt = base64_unpadded(salt).ok_or(Refusal::Malformed)?;
        if settings.next().is_some() {
            return Err(Refusal::Malformed);
        }
        Scrypt::new([n.unwrap_or(u64::MAX), r, p], salt, output)
    }

    /// Reads `N$salt$r$p$output`: the salt as it is, the output in base64.
    pub(super) fn django(rest: &str) -> Parsed<Scrypt> {
        let [n, salt, r, p, output] = parts(rest).ok_or(Refusal::Malformed)?;
        let output = base64(output).filter(|output| output.len() == LONG_OUTPUT);
        Scrypt::new(numbers([n, r, p])?, text_salt(salt).ok_or(Refusal::Malformed)?, output)
    }

    /// Reads `N:r:p$salt$output`: the salt as it is, the output in hexadecimal digits.
    pub(super) fn werkzeug(rest: &str) -> Parsed<Scrypt> {
        let [settings, salt, output] = parts(rest).ok_or(Refusal::Malformed)?;
        let mut settings = settings.splitn(3, ':');
        let cost = [(); 3].map(|()| settings.next().unwrap_or_default());
        let output = hex(output).filter(|output| output.len() == LONG_OUTPUT);
        Scrypt::new(numbers(cost)?, text_salt(salt).ok_or(Refusal::Malformed)?, output)
    }

    /// `cost` is `[N, r, p]`.
    fn new([n, r, p]: [u64; 3], salt: Vec<u8>, output: Option<Vec<u8>>) -> Parsed<Scrypt> {
        let output = output.ok_or(Refusal::Malformed)?;
        // u64::MAX, which stands for all that is larger than a number, is refused below.
        if n < 2 || n != u64::MAX && !n.is_power_of_two() || r == 0 || p == 0 {
            return Err(Refusal::Malformed);
        }
        let memory = n.saturating_mul(r).saturating_mul(128);
        let work = n.saturating_mul(r).saturating_mul(p);
        if memory > MAX_MEMORY || work > MAX_WORK || r.saturating_mul(p) > MAX_BLOCKS {
            return Err(Refusal::TooCostly(format!("256 MiB, or N * r * p of {MAX_WORK}")));
        }
        // Within the limits, each of them fits into 32 bits.
        let [n, r, p] = [n, r, p].map(|value| value as usize);
        Ok(Scrypt { cost: ScryptCost { n, r, p }, salt, output })
    }
}

fn numbers(texts: [&str; 3]) -> Parsed<[u64; 3]> {
    let [Some(n), Some(r), Some(p)] = texts.map(number) else { return Err(Refusal::Malformed) };
    Ok([n, r, p])
}

impl Compare for Scrypt {
    fn matches(&self, password: &[u8]) -> bool {
        let mut computed = Zeroizing::new(vec![0; self.output.len()]);
        scrypt(password, &self.salt, &self.cost, &mut computed);
        equal(&computed, &self.output)
    }

    /// 0.4 microseconds for each of `N * r * p`.
    fn micros(&self) -> u64 {
        let ScryptCost { n, r, p } = self.cost;
        // Within the limits, the product fits.
        (n * r * p) as u64 * 4 / 10
    }
}
