//! A key that AWS KMS keeps.

use std::error::Error;

use alloy::primitives::{Address, Signature, B256};
use alloy::signers::aws::AwsSigner;
use alloy::signers::Signer;
use aws_config::BehaviorVersion;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::Builder;
use tokio::runtime::{Handle, Runtime};

use crate::error::L1Error;

/// A key at AWS.
pub(super) struct Kms {
    signer: AwsSigner,
    /// Always there until the drop.
    runtime: Option<Runtime>,
}

impl Drop for Kms {
    fn drop(&mut self) {
        // The plain drop may not happen in a task.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Kms {
    /// Asks for the public key.
    pub(super) fn connect(key_id: &str) -> Result<Self, L1Error> {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_io().enable_time().build().map_err(|e| failed(&e))?;
        let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
        let signer = wait(&runtime, async {
            let config = aws_config::defaults(BehaviorVersion::latest()).http_client(http);
            let client = aws_sdk_kms::Client::new(&config.load().await);
            AwsSigner::new(client, key_id.to_owned(), None).await
        })?;
        let signer = signer.map_err(|e| failed(&e))?;
        Ok(Self { signer, runtime: Some(runtime) })
    }

    pub(super) fn address(&self) -> Address {
        self.signer.address()
    }

    pub(super) fn sign(&self, hash: &B256) -> Result<Signature, L1Error> {
        let gone = || L1Error::Wallet { why: "AWS KMS: no requests can be made".into() };
        let runtime = self.runtime.as_ref().ok_or_else(gone)?;
        wait(runtime, self.signer.sign_hash(hash))?.map_err(|e| failed(&e))
    }
}

fn wait<T>(runtime: &Runtime, future: impl std::future::Future<Output = T>) -> Result<T, L1Error> {
    if Handle::try_current().is_ok() {
        let why =
            "AWS KMS is waited for, which an asynchronous task may not do: use spawn_blocking";
        return Err(L1Error::Wallet { why: why.into() });
    }
    Ok(runtime.block_on(future))
}

/// AWS tells the cause of an error in its sources alone.
fn failed(error: &dyn Error) -> L1Error {
    let mut why = format!("AWS KMS: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        why.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    L1Error::Wallet { why }
}
