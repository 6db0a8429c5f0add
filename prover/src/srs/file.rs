//! SRS files.
//!
//! All kinds use the container of `container.rs` (magic, version, JSON header, payload,
//! digest). Points are uncompressed affine, x then y, coordinates in Montgomery form, little
//! endian: the form in memory, so that reading is a copy and a check of the curve equation.
//!
//! * `<stem>.srs`, magic `BASTSRS\0`: header `{k, origin, id}`; payload 2^k points of G1
//!   (64 B), then g2 and `s_g2` (128 B each).
//! * `<stem>-lagrange-<k>.srs`, magic `BASTLAG\0`: header `{k, id}`, id that of the SRS;
//!   payload 2^k points of G1.
//! * `<stem>-packed-<k>.srs`, magic `BASTPKL\0`: header `{k, stride, places, id}`; payload
//!   `places · 2^k` points of G1, place after place.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use halo2_proofs::halo2curves::{
    bn256::{G1Affine, G2Affine},
    group::prime::PrimeCurveAffine,
    serde::SerdeObject,
};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::packed::{PLACES, STRIDE};
use super::{Srs, SrsOrigin, MAX_K, MIN_K};
use crate::{
    artifact::Digest,
    container::{self, Kind},
    ProverError, Result,
};

const G1_BYTES: usize = 64;
const G2_BYTES: usize = 128;

static SRS_KIND: Kind = Kind {
    magic: *b"BASTSRS\0",
    version: 1,
    name: "SRS",
    remedy: "run `bastion setup`, or give the directory of an existing SRS",
};

static LAGRANGE_KIND: Kind = Kind {
    magic: *b"BASTLAG\0",
    version: 1,
    name: "Lagrange basis",
    remedy: "it is computed again from the SRS",
};

static PACKED_KIND: Kind = Kind {
    magic: *b"BASTPKL\0",
    version: 1,
    name: "packed Lagrange basis",
    remedy: "it is computed again from the SRS",
};

#[derive(Serialize, Deserialize)]
struct SrsHeader {
    k: u32,
    origin: SrsOrigin,
    id: Digest,
}

#[derive(Serialize, Deserialize)]
struct LagrangeHeader {
    k: u32,
    id: Digest,
}

#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct PackedHeader {
    k: u32,
    stride: usize,
    places: usize,
    id: Digest,
}

impl Srs {
    /// Writes the SRS to `path` and its Lagrange bases beside it, each file atomically.
    /// From then on bases computed later are cached there too.
    ///
    /// An existing file is never replaced, not even a damaged one: everything proven under it
    /// would lose its SRS. Then the answer is false, and nothing is written.
    ///
    /// # Errors
    /// [`ProverError::Io`] with the path.
    pub fn save(&mut self, path: &Path) -> Result<bool> {
        let header = SrsHeader { k: self.k, origin: self.origin, id: self.id };
        let saved = container::write_once(path, &SRS_KIND, &header, |out| {
            write_points(out, &self.g)?;
            self.g2.write_raw(&mut Sized(out))?;
            self.s_g2.write_raw(&mut Sized(out))
        })?;
        if !saved {
            return Ok(false);
        }
        self.path = Some(path.to_owned());
        while let Some((k, lagrange)) = self.unsaved_lagrange.pop_first() {
            self.write_lagrange(k, &lagrange)?;
        }
        while let Some((k, basis)) = self.unsaved_packed.pop_first() {
            self.write_packed(k, &basis)?;
        }
        Ok(true)
    }

    /// Size, origin and identity, as the header of a file says.
    pub(super) fn peek(path: &Path) -> Result<(u32, SrsOrigin, Digest)> {
        let SrsHeader { k, origin, id } = container::peek(path, &SRS_KIND)?;
        Ok((k, origin, id))
    }

    /// Reads an SRS. The digest of the file, the length, the curve equation of every point and
    /// the identity of the SRS are checked; that the points are powers of one secret is not
    /// (see [`Srs::check_consistency`]).
    ///
    /// # Errors
    /// [`ProverError::MissingArtifact`], [`ProverError::DamagedArtifact`],
    /// [`ProverError::FormatVersion`] or [`ProverError::Io`]; never a panic, whatever the bytes.
    pub fn open(path: &Path) -> Result<Self> {
        let mut file = container::open::<SrsHeader>(path, &SRS_KIND)?;
        let SrsHeader { k, origin, id } = file.header;
        if !(MIN_K..=MAX_K).contains(&k) {
            return Err(file.damaged(format!("k = {k} is outside {MIN_K}..={MAX_K}")));
        }
        let g1_len = G1_BYTES << k;
        let payload = file.read_payload((g1_len + 2 * G2_BYTES) as u64)?;
        let (g1, rest) = payload.split_at(g1_len);
        let (g2, s_g2) = rest.split_at(G2_BYTES);

        let g = read_points(g1).map_err(|reason| file.damaged(reason))?;
        let read_g2 = |name: &str, bytes: &[u8]| {
            G2Affine::from_raw_bytes(bytes)
                .filter(|point| !bool::from(point.is_identity()))
                .ok_or_else(|| file.damaged(format!("{name} is not a point of the twist")))
        };
        let (g2, s_g2) = (read_g2("g2", g2)?, read_g2("s_g2", s_g2)?);
        let mut srs = Self::from_powers(origin, g, g2, s_g2)?;
        if srs.id != id {
            return Err(
                file.damaged(format!("its points have id {}, the header says {id}", srs.id))
            );
        }
        srs.path = Some(path.to_owned());
        Ok(srs)
    }

    /// The cached Lagrange basis, if there is a good one. Damage costs a recomputation, which
    /// is why it is a warning here and not an error.
    pub(super) fn read_lagrange(&self, k: u32) -> Option<Vec<G1Affine>> {
        let path = self.lagrange_path(k)?;
        match open_lagrange(&path, k, self.id) {
            Ok(points) => Some(points),
            Err(ProverError::MissingArtifact { .. }) => None,
            Err(error) => {
                warn!(%error, "the Lagrange basis is computed again");
                None
            }
        }
    }

    pub(super) fn write_lagrange(&self, k: u32, points: &[G1Affine]) -> Result<()> {
        let Some(path) = self.lagrange_path(k) else {
            return Ok(());
        };
        let header = LagrangeHeader { k, id: self.id };
        container::write(&path, &LAGRANGE_KIND, &header, |out| write_points(out, points))
    }

    pub(super) fn lagrange_path(&self, k: u32) -> Option<PathBuf> {
        self.beside(&format!("lagrange-{k}"))
    }

    fn beside(&self, name: &str) -> Option<PathBuf> {
        let path = self.path.as_ref()?;
        let stem = path.file_stem()?.to_string_lossy();
        Some(path.with_file_name(format!("{stem}-{name}.srs")))
    }

    /// The cached packed basis, if there is a good one.
    pub(super) fn read_packed(&self, k: u32) -> Option<Vec<G1Affine>> {
        let path = self.beside(&format!("packed-{k}"))?;
        match open_packed(&path, &self.packed_header(k)) {
            Ok(points) => Some(points),
            Err(ProverError::MissingArtifact { .. }) => None,
            Err(error) => {
                warn!(%error, "the packed Lagrange basis is computed again");
                None
            }
        }
    }

    pub(super) fn write_packed(&self, k: u32, points: &[G1Affine]) -> Result<()> {
        let Some(path) = self.beside(&format!("packed-{k}")) else {
            return Ok(());
        };
        let header = self.packed_header(k);
        container::write(&path, &PACKED_KIND, &header, |out| write_points(out, points))
    }

    fn packed_header(&self, k: u32) -> PackedHeader {
        PackedHeader { k, stride: STRIDE, places: PLACES, id: self.id }
    }
}

fn open_lagrange(path: &Path, k: u32, id: Digest) -> Result<Vec<G1Affine>> {
    let mut file = container::open::<LagrangeHeader>(path, &LAGRANGE_KIND)?;
    let header = &file.header;
    if header.k != k || header.id != id {
        let reason =
            format!("it is for k = {} of SRS {}, needed k = {k} of {id}", header.k, header.id);
        return Err(file.damaged(reason));
    }
    let payload = file.read_payload((G1_BYTES as u64) << k)?;
    read_points(&payload).map_err(|reason| file.damaged(reason))
}

fn open_packed(path: &Path, expected: &PackedHeader) -> Result<Vec<G1Affine>> {
    let mut file = container::open::<PackedHeader>(path, &PACKED_KIND)?;
    if file.header != *expected {
        let PackedHeader { k, id, .. } = &file.header;
        return Err(file.damaged(format!("it is for k = {k} of SRS {id}, or packed otherwise")));
    }
    let payload = file.read_payload(((G1_BYTES * PLACES) as u64) << expected.k)?;
    read_points(&payload).map_err(|reason| file.damaged(reason))
}

fn write_points(out: &mut dyn Write, points: &[G1Affine]) -> io::Result<()> {
    let mut out = Sized(out);
    points.iter().try_for_each(|point| point.write_raw(&mut out))
}

/// Points of G1 that are on the curve and not the identity.
pub(super) fn read_points(bytes: &[u8]) -> Result<Vec<G1Affine>, String> {
    bytes
        .par_chunks(G1_BYTES)
        .enumerate()
        .map(|(i, bytes)| {
            G1Affine::from_raw_bytes(bytes)
                .filter(|point| !bool::from(point.is_identity()))
                .ok_or_else(|| format!("point {i} is not on the curve"))
        })
        .collect()
}

/// `dyn Write` as a sized writer, which the raw serialisation asks for.
struct Sized<'a>(&'a mut dyn Write);

impl Write for Sized<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
