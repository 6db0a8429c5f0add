//! Reference strings of public ceremonies: `.ptau` files of snarkjs, and halo2's raw parameters.
//!
//! **ptau.** `ptau`, version 1 (u32), number of sections (u32); each section is its type (u32), its
//! size (u64) and its bytes; all integers are little-endian. Section 1: size of a base field element
//! (32), the modulus, the power, the power of the ceremony. Section 2: `tau^i G1` for
//! `i < 2^(power+1) - 1`. Section 3: `tau^i G2` for `i < 2^power`. Coordinates are in Montgomery form.
//!
//! **halo2 raw.** `k` (u32, little-endian), 2^k powers in G1, the Lagrange basis, `g2`, `s_g2`
//! (`ParamsKZG::write_custom` with raw bytes). Its Lagrange basis is not read but computed.

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
    path::Path,
};

use blake2::{Blake2b512, Digest as _};
use halo2_proofs::halo2curves::{
    bn256::{Fr, G2Affine},
    ff::Field,
    group::{prime::PrimeCurveAffine, Curve},
    serde::SerdeObject,
};
use rand::{rngs::OsRng, SeedableRng};
use rand_chacha::ChaCha20Rng;

use super::{b2sum::B2sum, file::read_points, Srs, SrsOrigin, MAX_K, MIN_K};
use crate::{progress::Progress, ProverError, Result};

const G1_BYTES: u64 = 64;
const G2_BYTES: u64 = 128;
/// The base field's modulus, little-endian, as a ptau's header has it.
const BASE_MODULUS: [u8; 32] = [
    0x47, 0xfd, 0x7c, 0xd8, 0x16, 0x8c, 0x20, 0x3c, 0x8d, 0xca, 0x71, 0x68, 0x91, 0x6a, 0x81, 0x97,
    0x5d, 0x58, 0x81, 0x81, 0xb6, 0x45, 0x50, 0xb8, 0x29, 0xa0, 0x31, 0xe1, 0x72, 0x4e, 0x64, 0x30,
];
/// Secrets up to this are refused: nobody draws them, and 1 is that of a ceremony without
/// contributions.
const SMALL_TAU: u64 = 1024;

/// A file of a ceremony, read and checked.
#[derive(Debug)]
pub struct Imported {
    /// The reference string.
    pub srs: Srs,
    /// BLAKE2b-512 of the file, as ceremonies publish it.
    pub b2sum: B2sum,
}

/// Where the points lie in a file.
struct Layout {
    /// log2 of the powers that the file has.
    k: u32,
    g1: u64,
    g2: u64,
    s_g2: u64,
}

impl Srs {
    /// Reads the first 2^k powers of a ceremony's file, by its content a `.ptau` or halo2's raw
    /// parameters, and checks them: every point on its curve and in its group, all of them powers
    /// of one secret, which is none that is publicly known.
    ///
    /// That many took part in the ceremony, a file cannot prove: compare its `b2sum` with the
    /// published one. `expected` does so.
    ///
    /// # Errors
    /// [`ProverError::MissingArtifact`], [`ProverError::NotACeremony`],
    /// [`ProverError::CeremonyHash`], [`ProverError::CeremonyTooSmall`],
    /// [`ProverError::SrsInconsistent`] or [`ProverError::Io`].
    pub fn import(
        path: &Path,
        k: u32,
        expected: Option<&B2sum>,
        progress: &Progress,
    ) -> Result<Imported> {
        if !(MIN_K..=MAX_K).contains(&k) {
            return Err(ProverError::SrsSize { k });
        }
        let damaged = |reason: String| ProverError::NotACeremony { path: path.to_owned(), reason };
        let io = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => ProverError::MissingArtifact {
                what: "ceremony file",
                path: path.to_owned(),
                remedy: "give the path of a .ptau file or of halo2's raw parameters".into(),
            },
            io::ErrorKind::UnexpectedEof => damaged("it ends too early".into()),
            _ => ProverError::io("read", path, source),
        };
        let stage = progress.stage("ceremony file", path.display().to_string(), 3);
        let mut file = File::open(path).map_err(io)?;
        let b2sum = b2sum(&file).map_err(io)?;
        if let Some(expected) = expected.filter(|expected| **expected != b2sum) {
            return Err(ProverError::CeremonyHash {
                path: path.to_owned(),
                expected: expected.to_string(),
                got: b2sum.to_string(),
            });
        }
        stage.advance();

        file.rewind().map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        let mut reader = BufReader::new(file);
        let layout = layout(&mut reader, length).map_err(|e| match e {
            Problem::Io(e) => io(e),
            Problem::Format(reason) => damaged(reason),
        })?;
        if k > layout.k {
            return Err(ProverError::CeremonyTooSmall {
                path: path.to_owned(),
                needed: k,
                held: layout.k,
            });
        }
        let mut take = |at: u64, size: u64| -> Result<Vec<u8>> {
            reader.seek(SeekFrom::Start(at)).map_err(io)?;
            let mut bytes = vec![0; size as usize];
            reader.read_exact(&mut bytes).map_err(io)?;
            Ok(bytes)
        };
        let g = read_points(&take(layout.g1, G1_BYTES << k)?).map_err(&damaged)?;
        let mut g2 = |name: &str, at| {
            G2Affine::from_raw_bytes(&take(at, G2_BYTES)?)
                .ok_or_else(|| damaged(format!("{name} is not a point of the twist")))
        };
        let (g2, s_g2) = (g2("g2", layout.g2)?, g2("tau g2", layout.s_g2)?);
        stage.advance();

        let srs = Self::from_powers(SrsOrigin::Ceremony, g, g2, s_g2)?;
        srs.check_consistency(OsRng)?;
        srs.check_secret()?;
        stage.advance();
        Ok(Imported { srs, b2sum })
    }

    /// Refuses secrets that everybody knows.
    fn check_secret(&self) -> Result<()> {
        let generator = self.g[0];
        let mut multiple = generator.to_curve();
        let mut known = None;
        for tau in 1..=SMALL_TAU {
            let point = multiple.to_affine();
            if self.g[1] == point || self.g[1] == -point {
                known = Some(format!("its secret is {tau} or minus {tau}"));
            }
            multiple += generator;
        }
        // What test suites take for a setup: the first scalar of a fixed seed.
        for seed in 0..64 {
            let taus = [
                Fr::random(ChaCha20Rng::seed_from_u64(seed)),
                Fr::random(ChaCha20Rng::from_seed([seed as u8; 32])),
            ];
            if taus.iter().any(|tau| self.g[1] == (generator * tau).to_affine()) {
                known = Some(format!("its secret comes from the test seed {seed}"));
            }
        }
        match known {
            None => Ok(()),
            Some(reason) => Err(ProverError::SrsInconsistent { id: self.id, reason }),
        }
    }
}

enum Problem {
    Io(io::Error),
    Format(String),
}

impl From<io::Error> for Problem {
    fn from(e: io::Error) -> Self {
        Self::Io(e)
    }
}

fn b2sum(file: &File) -> io::Result<B2sum> {
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut hasher = Blake2b512::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n = reader.read(&mut buffer)?;
        if n == 0 {
            return Ok(B2sum(hasher.finalize().into()));
        }
        hasher.update(buffer.get(..n).unwrap_or_default());
    }
}

fn layout(reader: &mut (impl Read + Seek), length: u64) -> Result<Layout, Problem> {
    let mut magic = [0; 4];
    reader.read_exact(&mut magic)?;
    if &magic == b"ptau" {
        return ptau(reader, length);
    }
    raw(u32::from_le_bytes(magic), length)
}

fn raw(k: u32, length: u64) -> Result<Layout, Problem> {
    let expected = |k: u32| 4 + 2 * (G1_BYTES << k) + 2 * G2_BYTES;
    if !(MIN_K..=MAX_K).contains(&k) || length != expected(k) {
        return Err(Problem::Format(
            "it is neither a .ptau file nor halo2's raw parameters".into(),
        ));
    }
    let g2 = 4 + 2 * (G1_BYTES << k);
    Ok(Layout { k, g1: 4, g2, s_g2: g2 + G2_BYTES })
}

fn u32_of(reader: &mut impl Read) -> io::Result<u32> {
    let mut bytes = [0; 4];
    reader.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

fn ptau(reader: &mut (impl Read + Seek), length: u64) -> Result<Layout, Problem> {
    let version = u32_of(reader)?;
    if version != 1 {
        return Err(Problem::Format(format!("version {version} of ptau")));
    }
    let count = u32_of(reader)?;
    let mut sections = [None; 3];
    let mut at = 12u64;
    for _ in 0..count {
        reader.seek(SeekFrom::Start(at))?;
        let kind = u32_of(reader)?;
        let mut size = [0; 8];
        reader.read_exact(&mut size)?;
        let size = u64::from_le_bytes(size);
        let end = (at + 12).checked_add(size).filter(|end| *end <= length);
        let end = end.ok_or_else(|| Problem::Format("it ends too early".into()))?;
        let slot = (kind as usize).checked_sub(1).and_then(|i| sections.get_mut(i));
        if let Some(slot) = slot {
            if slot.replace((at + 12, size)).is_some() {
                return Err(Problem::Format(format!("section {kind} twice")));
            }
        }
        at = end;
    }
    let [Some(header), Some(g1), Some(g2)] = sections else {
        return Err(Problem::Format("a section of 1 to 3 is missing".into()));
    };
    reader.seek(SeekFrom::Start(header.0))?;
    let size = u32_of(reader)?;
    let mut modulus = [0; 32];
    reader.read_exact(&mut modulus)?;
    if size != 32 || modulus != BASE_MODULUS {
        return Err(Problem::Format("it is for another curve than BN254".into()));
    }
    let k = u32_of(reader)?;
    let fits = (MIN_K..=MAX_K).contains(&k)
        && g1.1 == ((2 << k) - 1) * G1_BYTES
        && g2.1 == (1 << k) * G2_BYTES;
    if !fits {
        return Err(Problem::Format(format!(
            "power {k} does not fit sections of {} and {} bytes",
            g1.1, g2.1
        )));
    }
    Ok(Layout { k, g1: g1.0, g2: g2.0, s_g2: g2.0 + G2_BYTES })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorClass;
    use halo2_proofs::poly::kzg::commitment::ParamsKZG;
    use halo2_proofs::SerdeFormat;
    use std::path::PathBuf;

    /// Made by snarkjs 0.7: `powersoftau new bn128 6`, `contribute`, `beacon`.
    fn ceremony() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/snarkjs-power6.ptau")
    }

    fn import(path: &Path, k: u32) -> Result<Imported> {
        Srs::import(path, k, None, &Progress::silent())
    }

    fn imported(bytes: &[u8], k: u32) -> Result<Imported> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, bytes).unwrap();
        import(&path, k)
    }

    #[test]
    fn a_file_of_snarkjs_is_read() {
        for k in [4, 6] {
            let Imported { srs, .. } = import(&ceremony(), k).unwrap();
            assert_eq!((srs.k(), srs.origin()), (k, SrsOrigin::Ceremony));
            // Its Lagrange basis is of use: a polynomial has one commitment in both bases.
            srs.params(k).unwrap();
            srs.check_consistency(crate::testing::rng(1)).unwrap();
        }
        let error = import(&ceremony(), 7).unwrap_err();
        assert_eq!(error.class(), ErrorClass::Missing, "{error}");
        let text = error.to_string();
        assert!(text.contains("has power 6") && text.contains("of power 7 or more"), "{text}");
    }

    #[test]
    fn the_hash_pins_the_file() {
        let Imported { b2sum, .. } = import(&ceremony(), 4).unwrap();
        let pinned = |sum: &str| {
            let sum = sum.parse().unwrap();
            Srs::import(&ceremony(), 4, Some(&sum), &Progress::silent())
        };
        let b2sum = b2sum.to_string();
        assert!(pinned(&b2sum.to_uppercase()).is_ok());
        let error = pinned(&b2sum.replace('a', "b")).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&b2sum), "{text}");
        // The text given may be that of another file: no reason to delete this one.
        assert!(!text.contains("delete"), "{text}");
        assert_eq!(error.class(), ErrorClass::Missing);
    }

    #[test]
    fn a_ceremony_without_contributions_is_refused() {
        let path = ceremony().with_file_name("snarkjs-power6-no-contribution.ptau");
        let error = import(&path, 6).unwrap_err();
        assert!(error.to_string().contains("secret is 1"), "{error}");
    }

    #[test]
    fn halo2s_raw_parameters_are_read_unless_their_secret_is_a_test_seed() {
        let write = |tau: ChaCha20Rng| {
            let mut bytes = Vec::new();
            ParamsKZG::<halo2_proofs::halo2curves::bn256::Bn256>::setup(5, tau)
                .write_custom(&mut bytes, SerdeFormat::RawBytes)
                .unwrap();
            bytes
        };
        let good = write(ChaCha20Rng::seed_from_u64(0xdead_beef));
        assert_eq!(imported(&good, 5).unwrap().srs.k(), 5);
        assert!(imported(&good[..good.len() - 1], 5).is_err());
        for known in [ChaCha20Rng::from_seed([0; 32]), ChaCha20Rng::seed_from_u64(7)] {
            let error = imported(&write(known), 5).unwrap_err();
            assert!(error.to_string().contains("test seed"), "{error}");
        }
    }

    /// Whatever byte of the powers or of the header is changed, the file is refused.
    #[test]
    fn changed_and_truncated_files_are_refused() {
        let good = std::fs::read(ceremony()).unwrap();
        imported(&good, 6).unwrap();
        let g1 = 12 + 12 + 44 + 12;
        let g2 = g1 + 127 * 64 + 12;
        let used = (0..4)
            .chain(12..24)
            .chain(24..68)
            .chain((g1..g1 + 64 * 64).step_by(61))
            .chain((g2..g2 + 256).step_by(7));
        for at in used {
            // The power of the ceremony is only for people.
            if (64..68).contains(&at) {
                continue;
            }
            let mut changed = good.clone();
            changed[at] ^= 1;
            assert!(imported(&changed, 6).is_err(), "byte {at}");
        }
        for length in [0, 3, 11, 40, g1, g1 + 100, g2 + 10, good.len() - 1] {
            assert!(imported(&good[..length], 6).is_err(), "{length} bytes");
        }
        // Two powers change places: each is a point, but they are no powers any more.
        let mut swapped = good.clone();
        let (a, b) = (g1 + 5 * 64, g1 + 9 * 64);
        for i in 0..64 {
            swapped.swap(a + i, b + i);
        }
        let error = imported(&swapped, 6).unwrap_err();
        assert!(matches!(error, ProverError::SrsInconsistent { .. }), "{error}");
    }
}
