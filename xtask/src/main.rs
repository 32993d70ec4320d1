//! Project tasks that are not part of the product: `cargo xtask --help`.

mod compare;
mod contracts;
mod image;
mod prove;
mod suite;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "xtask", about = "Project tasks")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Generate the Rust code and the descriptor set of core/proto from its .proto files
    Gen {
        /// Write nothing; fail if what is committed is not current
        #[arg(long)]
        check: bool,
    },
    /// Measure others beside us on this machine, and say how we stand to them
    Compare(compare::Arguments),
    /// Build the program statically, make its image, and run that as it is deployed
    Image(image::Arguments),
    /// Play the stories of the REST surface against fleets of processes on real servers
    Fleet,
    /// Do for hours what the tests do for minutes, and write down what came of it
    Prove(prove::Arguments),
    /// Run every check and every test of the project
    Test,
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().task {
        Task::Gen { check: false } => contracts::generate(),
        Task::Gen { check: true } => contracts::check(),
        Task::Compare(arguments) => compare::run(&arguments),
        Task::Image(arguments) => image::run(&arguments),
        Task::Fleet => suite::stories_on_a_fleet(),
        Task::Prove(arguments) => prove::run(&arguments),
        Task::Test => suite::run(),
    }
}
