//! The OpenAPI file, made of the routes themselves.

use bastion_client::types::{Batch, Block, Job, Problem, Progress, Status};
use utoipa::openapi::{
    ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder, ResponsesBuilder,
};
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::routes::{accounts, blobs, blocks, events, jobs, meta, operations, rewards, sentinel};
use super::Shared;

/// Title, and what no route names.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Bastion node",
        description = "Operations in, signed receipts out, and everything that proves them. Amounts are \
decimal strings, hashes and field elements are 0x and lower-case hex digits, times are seconds since \
1970. Errors are problems (RFC 9457). A body has at most 1 MiB.",
        license(name = "MIT OR Apache-2.0"),
    ),
    components(schemas(Problem, Batch, Block, Job, Progress, Status)),
    tags(
        (name = "operations", description = "Operations, receipts, inclusion"),
        (name = "blocks", description = "Batches and blocks"),
        (name = "accounts", description = "Accounts with Merkle proofs"),
        (name = "sentinel", description = "What was found before inclusion, and what is held back"),
        (name = "node", description = "The node itself"),
    ),
)]
struct Head;

/// The public routes with their descriptions.
pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::with_openapi(Head::openapi())
        .routes(routes!(operations::submit))
        .routes(routes!(operations::operation))
        .routes(routes!(operations::receipt))
        .routes(routes!(operations::inclusion))
        .routes(routes!(blocks::batch))
        .routes(routes!(blocks::blocks))
        .routes(routes!(blocks::block))
        .routes(routes!(blocks::batches))
        .routes(routes!(blobs::blob))
        .routes(routes!(accounts::of_owner))
        .routes(routes!(accounts::account))
        .routes(routes!(accounts::operations))
        .routes(routes!(sentinel::status))
        .routes(routes!(sentinel::findings))
        .routes(routes!(sentinel::held))
        .routes(routes!(rewards::status))
        .routes(routes!(rewards::watchers))
        .routes(routes!(rewards::watcher))
        .routes(routes!(rewards::call))
        .routes(routes!(meta::fees))
        .routes(routes!(meta::policy))
        .routes(routes!(meta::version))
        .routes(routes!(meta::status))
        .routes(routes!(jobs::jobs))
        .routes(routes!(events::events))
        .routes(routes!(meta::openapi))
        .routes(routes!(meta::health))
        .routes(routes!(meta::ready))
        .routes(routes!(meta::metrics))
}

/// The OpenAPI file.
pub fn openapi() -> OpenApi {
    let mut document = routes().into_openapi();
    let problem = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(RefOr::<_>::Ref(problem))).build();
    let failed: Response = ResponseBuilder::new()
        .description("A problem. Its code says which.")
        .content("application/problem+json", content)
        .build();
    for path in document.paths.paths.values_mut() {
        for operation in [&mut path.get, &mut path.post].into_iter().flatten() {
            let given = std::mem::take(&mut operation.responses);
            let all = ResponsesBuilder::from(given).response("default", failed.clone());
            operation.responses = all.build();
        }
    }
    document
}

/// The OpenAPI file as text.
///
/// # Errors
/// None that is known: the document is made of plain values.
pub fn openapi_json() -> Result<String, serde_json::Error> {
    openapi().to_pretty_json().map(|text| text + "\n")
}
