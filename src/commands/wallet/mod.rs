//! `bastion wallet`

pub(crate) mod amount;
pub(crate) mod folder;
mod l1;
pub(crate) mod l2;
mod order;
mod status;

use std::path::PathBuf;
use std::time::Duration;

use bastion_client::check::Rollup;
use bastion_client::keys::PasswordSource;
use bastion_client::Client;
use bastion_protocol::Address;
use clap::Subcommand;

use crate::config::Settings;
use folder::Folder;

/// Holds keys of accounts, and acts with them: deposits, transfers, orders, withdrawals, claims.
///
/// Keys lie encrypted in the wallet's folder, receipts beside them. A receipt counts when the
/// sequencer's signature on it holds; a balance when its Merkle proof does. The wallet remembers the
/// rollup and the sequencer of the first node that it asked, and refuses answers of any other.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  bastion wallet new alice --exit 0x7099...79c8\n  \
bastion wallet deposit alice --amount 0.5eth --l1 http://127.0.0.1:8545 --from 0x7099...79c8\n  \
bastion wallet transfer alice --to 131073 --amount 1000gwei --wait\n  \
bastion wallet order alice --amount 0.1eth --buy 2 --at-least 300000000\n  \
bastion wallet withdraw alice --amount 0.1eth\n  \
bastion wallet claim alice --l1 http://127.0.0.1:8545 --from 0x7099...79c8\n  \
bastion wallet status alice --json")]
pub(crate) struct Args {
    #[command(flatten)]
    keys: KeyArgs,
    #[command(subcommand)]
    command: Command,
}

/// Where keys are, and how they are unlocked.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct KeyArgs {
    /// Folder of keys and receipts [default: .bastion-wallet in the home folder].
    #[arg(long, global = true, value_name = "DIR", env = "BASTION_WALLET")]
    wallet: Option<PathBuf>,
    /// File whose first line is the password of the keys; else BASTION_WALLET_PASSWORD, else the terminal
    /// is asked.
    #[arg(long, global = true, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl KeyArgs {
    /// The wallet.
    pub(crate) fn open<'a>(&self, settings: &'a Settings) -> eyre::Result<Wallet<'a>> {
        let folder = Folder::at(self.wallet.clone())?;
        let password = match &self.password_file {
            Some(path) => PasswordSource::File(path.clone()),
            None if std::env::var_os(PASSWORD).is_some() => {
                PasswordSource::Variable(PASSWORD.into())
            }
            None => PasswordSource::Prompt,
        };
        Ok(Wallet { folder, password, settings })
    }
}

/// Variable with the password of the keys.
const PASSWORD: &str = "BASTION_WALLET_PASSWORD";

/// A node, and what is known of its rollup.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct NodeArgs {
    /// URL of the node [default: api.listen of the configuration].
    #[arg(long, value_name = "URL", env = "BASTION_NODE")]
    node: Option<String>,
    /// The rollup's contract, if the node is not to be believed at first.
    #[arg(long, value_name = "ADDRESS")]
    contract: Option<Address>,
    /// Whose receipts count, if the node is not to be believed at first, or the operator has announced
    /// another key since.
    #[arg(long, value_name = "ADDRESS")]
    sequencer: Option<Address>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a key. Its file is the only one of it: keep a copy elsewhere.
    New {
        /// The key's name.
        name: String,
        /// L1 address that its accounts leave to, whatever happens. Only this address can force an exit.
        #[arg(long, value_name = "ADDRESS")]
        exit: Address,
    },
    /// Lists the keys.
    List,
    /// Sends a deposit to L1. The account is made when the node has taken it from the contract's queue.
    Deposit(l1::Deposit),
    /// Transfers to an account that exists, or makes one for a key.
    Transfer(l2::Transfer),
    Order(order::Order),
    /// Withdraws to L1. It can be claimed there once its block is final.
    Withdraw(l2::Withdraw),
    /// Puts another key in the place of an account's. The exit address stays.
    ChangeKey(l2::ChangeKey),
    /// Takes out withdrawals that are final, on L1.
    Claim(l1::Claim),
    /// Asks the contract that a whole account leaves, without the operator's help.
    ForceExit(l1::ForceExit),
    /// Shows accounts with their proofs checked, and what became of the last receipts.
    Status(status::Args),
}

/// What every step needs.
pub(crate) struct Wallet<'a> {
    pub(crate) folder: Folder,
    pub(crate) password: PasswordSource,
    settings: &'a Settings,
}

impl Wallet<'_> {
    /// The rollup that a node serves: the one that the wallet knows, if it knows one.
    pub(crate) async fn rollup(
        &self,
        client: &Client,
        contract: Option<Address>,
        sequencer: Option<Address>,
    ) -> eyre::Result<Rollup> {
        let known = self.folder.rollup()?;
        let contract = contract.or(known.map(|known| known.contract));
        let sequencer = sequencer.or(known.map(|known| known.sequencer));
        let rollup = client.rollup(contract, sequencer).await?;
        // Another sequencer than the known one came here by the user's own word.
        self.folder.remember(&rollup)?;
        Ok(rollup)
    }
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<()> {
    let wallet = args.keys.open(settings)?;
    match &args.command {
        Command::New { name, exit } => folder::new(&wallet, name, *exit),
        Command::List => folder::list(&wallet),
        Command::Deposit(args) => l1::deposit(&wallet, args),
        Command::Transfer(args) => l2::transfer(&wallet, args),
        Command::Order(args) => order::run(&wallet, args),
        Command::Withdraw(args) => l2::withdraw(&wallet, args),
        Command::ChangeKey(args) => l2::change_key(&wallet, args),
        Command::Claim(args) => l1::claim(&wallet, args),
        Command::ForceExit(args) => l1::force_exit(&wallet, args),
        Command::Status(args) => status::run(&wallet, args),
    }
}

impl NodeArgs {
    /// A client of the node, and the rollup that it serves.
    async fn connect(&self, wallet: &Wallet<'_>) -> eyre::Result<(Client, Rollup)> {
        let own = || format!("http://{}", wallet.settings.node.api.listen);
        let client = Client::new(&self.node.clone().unwrap_or_else(own))?;
        let rollup = wallet.rollup(&client, self.contract, self.sequencer).await?;
        Ok((client, rollup))
    }
}

/// Runs what waits for a node.
fn block_on<T>(future: impl std::future::Future<Output = eyre::Result<T>>) -> eyre::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(future)
}

/// How long is waited for an operation to be final.
const MOST_WAITING: Duration = Duration::from_secs(24 * 3_600);

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::Cli;

    fn parses(line: &str) -> bool {
        Cli::try_parse_from(line.split(' ')).is_ok()
    }

    #[test]
    fn the_command_line_says_what_it_needs() {
        let a = "0x1111111111111111111111111111111111111111";
        for line in [
            format!("bastion wallet new alice --exit {a}"),
            "bastion wallet list --json".into(),
            "bastion wallet --wallet w list".into(),
            format!("bastion wallet deposit alice --amount 1.5eth --l1 http://l1 --from {a}"),
            "bastion wallet deposit alice --amount 1 --l1 http://l1 --l1-key-env KEY".into(),
            "bastion wallet transfer alice --to 131073 --amount 7gwei --wait".into(),
            format!(
                "bastion wallet transfer alice --to-key 0x{} --to-exit {a} --amount 7",
                "01".repeat(32)
            ),
            "bastion wallet withdraw alice --amount 7 --fee 1".into(),
            "bastion wallet order alice --amount 1.5eth --buy 2 --limit 3e-9 --json".into(),
            "bastion wallet order alice --token 2 --amount 7 --buy 0 --at-least 2gwei --to 5"
                .into(),
            format!("bastion wallet claim alice --l1 http://l1 --from {a}"),
            format!("bastion wallet force-exit alice --account 131072 --l1 http://l1 --from {a}"),
            "bastion wallet status alice --node http://127.0.0.1:4000".into(),
        ] {
            assert!(parses(&line), "{line}");
        }
        for line in [
            "bastion wallet",
            "bastion wallet new alice",
            "bastion wallet new alice --exit 0x12",
            "bastion wallet deposit alice --amount 1 --l1 http://l1",
            "bastion wallet transfer alice --amount 7",
            "bastion wallet transfer alice --to 1 --amount 1.5",
            "bastion wallet transfer alice --to 1 --amount -1",
            "bastion wallet transfer alice --to 1 --to-key 0x00 --amount 1",
            "bastion wallet order alice --amount 1 --buy 2",
            "bastion wallet order alice --amount 1 --limit 2",
            "bastion wallet order alice --amount 1 --buy 2 --limit 0",
            "bastion wallet order alice --amount 1 --buy 2 --limit 2 --at-least 2",
            "bastion wallet force-exit alice --l1 http://l1 --l1-key-env KEY",
        ] {
            assert!(!parses(line), "{line}");
        }
    }
}
