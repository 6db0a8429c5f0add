//! The block circuit: verifies N batch proofs (SHPLONK, verifying key as constants), links their
//! public inputs, and exposes the accumulator, the first inputs and the last outputs.
//!
//! Scalars are halo2-base's business; points and the transcript's permutation are the chip's.
//! Copy constraints connect the two.

use halo2_base::gates::circuit::CircuitBuilderStage;
use halo2_base::gates::flex_gate::threads::SinglePhaseCoreManager;
use halo2_base::gates::flex_gate::{FlexGateConfig, FlexGateConfigParams, ThreadBreakPoints};
use halo2_base::virtual_region::copy_constraints::SharedCopyConstraintManager;
use halo2_base::virtual_region::manager::VirtualRegionManager;
use halo2_base::AssignedValue;
use halo2_proofs::circuit::{Cell, Layouter, Region, SimpleFloorPlanner, Value};
use halo2_proofs::halo2curves::bn256::{Fr, G1Affine};
use halo2_proofs::plonk::{Circuit, Column, ConstraintSystem, Error, Instance};
use snark_verifier_sdk::Snark;

use crate::chip::config::ChipConfig;
use crate::chip::{self, output, permutation, point, Base, Grid, Inputs, Kind, Layout, Sums};
use crate::shape::{BlockCells, BlockParams, OUTPUTS};
use crate::verify::combine::combine;
use crate::verify::points::{Combination, Record};
use bastion_protocol::inputs::{COUNT, LINKS, SHARED};

/// Columns of the circuit.
#[derive(Clone, Debug)]
pub struct BlockConfig {
    scalars: FlexGateConfig<Fr>,
    chip: ChipConfig,
    instance: Column<Instance>,
}

/// The block circuit over batch proofs, or over dummies for keys.
pub struct BlockCircuit {
    params: BlockParams,
    core: SinglePhaseCoreManager<Fr>,
    pub(crate) copies: SharedCopyConstraintManager<Fr>,
    /// Public inputs of the batches.
    pub(crate) batches: Vec<Vec<AssignedValue<Fr>>>,
    record: Record,
    layout: Layout,
    /// The scalar of each term.
    scalars: Vec<AssignedValue<Fr>>,
    /// Public inputs behind the limbs.
    exposed: Vec<AssignedValue<Fr>>,
    grid: Option<Grid>,
}

impl BlockCircuit {
    /// Verifies `snarks` and links them. `g1` is the SRS's generator.
    ///
    /// # Errors
    /// If there is none, or one cannot be parsed.
    pub(crate) fn new(
        stage: CircuitBuilderStage,
        k: u32,
        g1: G1Affine,
        snarks: &[Snark],
    ) -> Result<Self, String> {
        let copies = SharedCopyConstraintManager::default();
        let core = SinglePhaseCoreManager::from_stage(stage, copies.clone());
        let combined = combine(core, g1, snarks)?;
        let (mut core, record) = (combined.core, combined.record);
        let exposed = link(&mut core, &combined.instances)?;
        let (sums, scalars) = sums(&mut core, &record, &combined.pair);
        let layout = Layout::new(&sums, record.permutations.len());
        // Copy constraints pair these up.
        let blocks = |kind| layout.program.rows_of(kind).count();
        if blocks(Kind::Scalar) != scalars.len() || blocks(Kind::Curve) != record.points.len() {
            return Err("scalars or points are not as many as their blocks".into());
        }
        // Dummies are no points that can be added.
        let grid = (stage != CircuitBuilderStage::Keygen).then(|| {
            let inputs = Inputs {
                points: record.points.iter().map(|p| p.point).collect(),
                scalars: scalars.iter().map(|s| *s.value()).collect(),
                permutations: record
                    .permutations
                    .iter()
                    .map(|p| p.input.map(|x| *x.value()))
                    .collect(),
            };
            chip::fill(&sums, &layout, &inputs)
        });
        let mut circuit = Self {
            params: BlockParams { k, columns: 1 },
            core,
            copies,
            batches: combined.instances,
            record,
            layout,
            scalars,
            exposed,
            grid,
        };
        let rows = circuit.usable_rows();
        if circuit.layout.rows() > rows {
            return Err(format!(
                "it takes {} rows, and 2^{k} leave {rows}: take a larger k",
                circuit.layout.rows()
            ));
        }
        // A gate does not straddle columns: a column may lose three rows.
        circuit.params.columns = circuit.core.total_advice().div_ceil(rows - 3);
        Ok(circuit)
    }

    fn usable_rows(&self) -> usize {
        let mut meta = ConstraintSystem::default();
        let config = Self::configure_with_params(&mut meta, self.params);
        config.scalars.max_rows
    }

    /// What fixes the columns.
    pub(crate) fn block_params(&self) -> BlockParams {
        self.params
    }

    /// Cells by part.
    pub(crate) fn cells(&self) -> BlockCells {
        BlockCells {
            bases: self.layout.program.rows_of(Kind::Double).count()
                - self.layout.program.rows_of(Kind::Output).count()
                    * (chip::scalar::WINDOW_BITS * (chip::scalar::WINDOWS - 1) + 1),
            rows: self.layout.program.rows,
            chip_columns: chip::columns::ADVICE + chip::sums::SUMS,
            permutations: self.layout.permutations,
            scalar_cells: self.core.total_advice(),
        }
    }

    /// Where scalar arithmetic goes on in the next column; known after key generation.
    pub(crate) fn break_points(&self) -> Option<ThreadBreakPoints> {
        self.core.break_points.borrow().clone()
    }

    /// For the prover.
    pub(crate) fn use_break_points(self, params: BlockParams, points: ThreadBreakPoints) -> Self {
        *self.core.break_points.borrow_mut() = Some(points);
        Self { params, ..self }
    }

    /// The public inputs.
    pub(crate) fn instances(&self) -> Vec<Fr> {
        let limbs = self
            .grid
            .iter()
            .flat_map(|grid| self.output_rows().map(|row| grid.get(row, chip::columns::IO)));
        limbs.chain(self.exposed.iter().map(|x| *x.value())).collect()
    }

    fn output_rows(&self) -> impl Iterator<Item = usize> + '_ {
        self.layout
            .program
            .rows_of(Kind::Output)
            .flat_map(|row| (0..2 * output::PUBLIC_LIMBS).map(move |n| row + n))
    }

    /// Pairs of a row of the chip's word column and the cell of scalar arithmetic that is equal.
    fn links(&self) -> Vec<(usize, AssignedValue<Fr>)> {
        let program = &self.layout.program;
        let mut links = Vec::new();
        for (row, scalar) in program.rows_of(Kind::Scalar).zip(&self.scalars) {
            links.push((row, *scalar));
        }
        for (row, point) in program.rows_of(Kind::Curve).zip(&self.record.points) {
            for (n, native) in point.native.iter().enumerate() {
                links.push((row + point::NATIVE[n], *native));
            }
        }
        for (n, permutation) in self.record.permutations.iter().enumerate() {
            let row = self.layout.permutation(n);
            for lane in 0..permutation::T {
                links.push((row + permutation::input(lane).0, permutation.input[lane]));
                links.push((row + permutation::output(lane).0, permutation.output[lane]));
            }
        }
        links
    }

    /// Copy constraints, and the cells that are public.
    fn copy(&self, config: &BlockConfig, region: &mut Region<'_, Fr>) -> Result<Vec<Cell>, Error> {
        let value = |row: usize| match &self.grid {
            Some(grid) => Value::known(grid.get(row, chip::columns::IO)),
            None => Value::unknown(),
        };
        let physical = |x: &AssignedValue<Fr>| {
            let copies = self.copies.lock().map_err(|_| Error::Synthesis)?;
            x.cell
                .and_then(|cell| copies.assigned_advices.get(&cell).copied())
                .ok_or(Error::Synthesis)
        };
        for (row, scalar) in self.links() {
            let word = config.chip.io(region, row, value(row));
            region.constrain_equal(word, physical(&scalar)?);
        }
        let mut public: Vec<Cell> =
            self.output_rows().map(|row| config.chip.io(region, row, value(row))).collect();
        for x in &self.exposed {
            public.push(physical(x)?);
        }
        self.copies.assign_raw(&config.scalars.constants, region);
        Ok(public)
    }
}

/// Links the batches, and returns the public inputs of the block.
fn link(
    core: &mut SinglePhaseCoreManager<Fr>,
    batches: &[Vec<AssignedValue<Fr>>],
) -> Result<Vec<AssignedValue<Fr>>, String> {
    let ctx = core.main();
    for pair in batches.windows(2) {
        let [before, after] = [&pair[0], &pair[1]];
        for (output, input) in LINKS {
            ctx.constrain_equal(&before[output], &after[input]);
        }
        for (a, b) in before[SHARED].iter().zip(&after[SHARED]) {
            ctx.constrain_equal(a, b);
        }
    }
    let (Some(first), Some(last)) = (batches.first(), batches.last()) else {
        return Err("a block has at least one batch".into());
    };
    Ok((0..COUNT).map(|i| if OUTPUTS.contains(&i) { last[i] } else { first[i] }).collect())
}

/// The sums that are the pair's points, and the scalar of each term. Every point of a proof is a
/// base: what the transcript absorbed lies on the curve.
fn sums(
    core: &mut SinglePhaseCoreManager<Fr>,
    record: &Record,
    pair: &[Combination; 2],
) -> (Sums, Vec<AssignedValue<Fr>>) {
    let mut bases: Vec<Base> = (0..record.points.len()).map(Base::Witness).collect();
    let mut scalars = Vec::new();
    let sums = pair
        .iter()
        .map(|combination| {
            let terms = combination.terms.iter().map(|(scalar, base)| {
                scalars.push(scalar.unwrap_or_else(|| core.main().load_constant(Fr::one())));
                bases.iter().position(|b| b == base).unwrap_or_else(|| {
                    bases.push(*base);
                    bases.len() - 1
                })
            });
            terms.collect()
        })
        .collect();
    (Sums { bases, sums }, scalars)
}

impl Circuit<Fr> for BlockCircuit {
    type Config = BlockConfig;
    type FloorPlanner = SimpleFloorPlanner;
    type Params = BlockParams;

    /// Key generation takes a circuit that was built over dummies, and has no witness.
    fn without_witnesses(&self) -> Self {
        Self {
            params: self.params,
            core: self.core.clone(),
            copies: self.copies.clone(),
            batches: self.batches.clone(),
            record: self.record.clone(),
            layout: self.layout.clone(),
            scalars: self.scalars.clone(),
            exposed: self.exposed.clone(),
            grid: None,
        }
    }

    fn params(&self) -> BlockParams {
        self.params
    }

    fn configure_with_params(meta: &mut ConstraintSystem<Fr>, params: BlockParams) -> BlockConfig {
        let chip = ChipConfig::configure(meta);
        let mut scalars = FlexGateConfig::configure(
            meta,
            FlexGateConfigParams {
                k: params.k as usize,
                num_advice_per_phase: vec![params.columns],
                num_fixed: 1,
            },
        );
        let instance = meta.instance_column();
        meta.enable_equality(instance);
        scalars.max_rows = (1usize << params.k).saturating_sub(meta.minimum_rows());
        BlockConfig { scalars, chip, instance }
    }

    fn configure(meta: &mut ConstraintSystem<Fr>) -> BlockConfig {
        Self::configure_with_params(meta, BlockParams::default())
    }

    /// One region: in this halo2 every region starts at row 0.
    fn synthesize(
        &self,
        config: BlockConfig,
        mut layouter: impl Layouter<Fr>,
    ) -> Result<(), Error> {
        let public = layouter.assign_region(
            || "block",
            |mut region| {
                let scalars = &config.scalars;
                let gates = (scalars.basic_gates[0].clone(), scalars.max_rows);
                self.core.assign_raw(&gates, &mut region);
                if let Some(grid) = &self.grid {
                    config.chip.assign_witness(&mut region, grid);
                }
                let mut public = Vec::new();
                if !self.core.witness_gen_only() {
                    config.chip.assign_fixed(&mut region, &self.layout);
                    public = self.copy(&config, &mut region)?;
                }
                if let Some(grid) = &self.grid {
                    config.chip.assign_sums(&mut region, &self.layout, grid);
                }
                Ok(public)
            },
        )?;
        for (row, cell) in public.into_iter().enumerate() {
            layouter.constrain_instance(cell, config.instance, row);
        }
        Ok(())
    }
}
