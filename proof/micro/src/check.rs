//! Every workload against its bound.

use anyhow::{Context, bail};

use crate::{
    bounds::{self, ALLOCATION_ROOM, Bound, ROOM},
    measure, valgrind,
    workload::{self, Workload},
};

/// Set in the environment of a run that nobody watches: what cannot be checked there is a failure.
const CI: &str = "CI";

struct Figure {
    name: &'static str,
    measured: f64,
    bound: f64,
    room: f64,
}

/// Measures all of it and says what takes too much.
pub fn run() -> anyhow::Result<()> {
    let with_valgrind = valgrind_can_count()?;
    let mut too_much = Vec::new();
    for workload in workload::ALL {
        let bound = bounds::ALL.iter().find(|bound| bound.workload == workload.name);
        let bound = bound.with_context(|| format!("{} has no bound", workload.name))?;
        let mut figures = in_memory(workload, bound)?;
        if with_valgrind {
            figures.extend(under_valgrind(workload, bound)?);
        }
        let told: Vec<_> = figures.iter().map(Figure::told).collect();
        println!("{:<14} {}", workload.name, told.join("  "));
        too_much.extend(figures.iter().filter_map(|figure| figure.complaint(workload)));
    }
    if too_much.is_empty() {
        return Ok(());
    }
    bail!(
        "the hot path takes more than it may:\n  {}\n\
         Find where: valgrind --tool=callgrind target/release/micro NAME --rounds 100, then callgrind_annotate.\n\
         Should it be worth it, write the new number into proof/micro/src/bounds.rs and say why in the commit.",
        too_much.join("\n  ")
    )
}

/// Whether instructions are counted here; an error where they must be and cannot.
fn valgrind_can_count() -> anyhow::Result<bool> {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        println!("instructions are not counted: their bounds are those of x86-64 Linux");
        return Ok(false);
    }
    if valgrind::is_there() {
        return Ok(true);
    }
    let how = "install it with: apt-get install valgrind";
    if std::env::var_os(CI).is_some() {
        bail!("instructions cannot be counted without valgrind; {how}");
    }
    println!("instructions are not counted: there is no valgrind; {how}");
    Ok(false)
}

fn in_memory(workload: &Workload, bound: &Bound) -> anyhow::Result<Vec<Figure>> {
    let cost = measure::run(workload, workload.rounds_counted)?;
    let figure = |name, measured, bound| Figure { name, measured, bound, room: ALLOCATION_ROOM };
    Ok(vec![
        figure("allocations", cost.allocations, bound.allocations),
        figure("allocated bytes", cost.bytes, bound.allocated_bytes),
    ])
}

fn under_valgrind(workload: &Workload, bound: &Bound) -> anyhow::Result<Vec<Figure>> {
    let instructions = valgrind::count(&valgrind::INSTRUCTIONS, workload)?;
    let copied_bytes = valgrind::count(&valgrind::COPIED_BYTES, workload)?;
    let figure = |name, measured, bound| Figure { name, measured, bound, room: ROOM };
    Ok(vec![
        figure("instructions", instructions, bound.instructions),
        figure("copied bytes", copied_bytes, bound.copied_bytes),
    ])
}

impl Figure {
    fn told(&self) -> String {
        format!("{} {:.1}", self.name, self.measured)
    }

    fn complaint(&self, workload: &Workload) -> Option<String> {
        let Self { name, measured, bound, room } = self;
        (*measured > bound * room).then(|| {
            let more = (measured / bound - 1.0) * 100.0;
            format!("{}: {measured:.1} {name}, {more:.1} % more than {bound:.1}", workload.name)
        })
    }
}
