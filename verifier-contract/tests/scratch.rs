mod support;
use alloy_primitives::*;
use bastion_contract::{solc::*, evm::Evm, *};
use halo2_base::halo2_proofs::halo2curves::bn256::{Fr, G1Affine, Fq};
use snark_verifier::{verifier::{plonk::PlonkProtocol, SnarkVerifier}, loader::evm::EvmLoader, system::halo2::transcript::evm::EvmTranscript};
use support::*;
#[test]
fn scratch() {
    let params = test_srs(18);
    let (protocol, instances, proof): (PlonkProtocol<G1Affine>, Vec<Vec<Fr>>, Vec<u8>) =
        serde_json::from_slice(&std::fs::read("/tmp/spike.json").unwrap()).unwrap();
    let d = VerifierDescription::from_protocol(&protocol, &deciding_key(&params)).unwrap();
    println!("pre {} adv {:?} evals {} queries {} constraints {} quotient {}", d.preprocessed.len(), d.phases, d.evaluations.len(), d.queries.len(), d.constraints.len(), d.quotient_chunks);
    let source = generate_solidity(&d).unwrap();
    std::fs::write("/tmp/V.sol", &source).unwrap();
    for o in [Optimization::Runs(1), Optimization::Runs(200), Optimization::Runs(10_000_000)] {
        let c = compile_with(&[("V.sol", &source)], o).unwrap();
        let mut evm = Evm::default();
        let a = evm.deploy(c[0].bytecode.clone()).unwrap();
        let r = evm.call(a, bastion_contract::bindings::verify_calldata(&flat(&instances), &proof)).unwrap();
        println!("{o:?} {} bytes {} gas {:?}", c[0].deployed_bytecode.len(), r.gas_used, r.status);
    }
    if let Ok(h) = std::fs::read_to_string("/tmp/IR.hex") {
        let mut evm = Evm::default();
        let a = evm.deploy(hex::decode(h.trim()).unwrap().into()).unwrap();
        let r = evm.call(a, bastion_contract::bindings::verify_calldata(&flat(&instances), &proof)).unwrap();
        println!("IR {} bytes {} gas {:?}", h.len()/2, r.gas_used, r.status);
    }
    let stages = ["_loadKey();", "_readInstances(instances);", "_readProof(proof);", "_evaluateDomain();", "_evaluateInstances();", "_evaluateQuotient();", "_foldQuotient();", "_open();", "_foldAccumulator();", "_pair();"];
    let mut last = 0;
    for st in stages {
        let needle = format!("        {st}\n");
        let cut = source.replacen(&needle, &format!("{needle}        if (block.number > 0) return gas0 - gasleft();\n"), 1)
            .replace("external view returns (bool) {", "external view returns (uint256) { uint256 gas0 = gasleft();").replace("return true;", "return 1;");
        let c = compile_with(&[("V.sol", &cut)], Optimization::Runs(200)).unwrap();
        let mut evm = Evm::default();
        let a = evm.deploy(c[0].bytecode.clone()).unwrap();
        let r = evm.call(a, bastion_contract::bindings::verify_calldata(&flat(&instances), &proof)).unwrap();
        let g = U256::from_be_slice(&r.output).to::<u64>(); println!("{st} {} (+{})", g, g - last);
        last = g;
    }
    if std::env::var("THEIRS").is_ok() {
        let dk = deciding_key(&params);
        let loader = EvmLoader::new::<Fq, Fr>();
        let p = protocol.loaded(&loader);
        let mut transcript = EvmTranscript::<_, std::rc::Rc<EvmLoader>, _, _>::new(&loader);
        let i = transcript.load_instances(instances.iter().map(Vec::len).collect());
        let pr = snark_verifier_sdk::PlonkVerifier::<snark_verifier_sdk::SHPLONK>::read_proof(&dk, &p, &i, &mut transcript).unwrap();
        snark_verifier_sdk::PlonkVerifier::<snark_verifier_sdk::SHPLONK>::verify(&dk, &p, &i, &pr).unwrap();
        let s = loader.solidity_code().replace("pragma solidity 0.8.19;", "pragma solidity ^0.8.19;");
        let c = compile_with(&[("T.sol", &s)], Optimization::Off).unwrap();
        let mut evm = Evm::default();
        evm.set_code_size_limit(1 << 20);
        let a = evm.deploy(c[0].bytecode.clone()).unwrap();
        let r = evm.call(a, snark_verifier_sdk::evm::encode_calldata(&instances, &proof).into()).unwrap();
        println!("theirs {} bytes {} gas {:?}", c[0].deployed_bytecode.len(), r.gas_used, r.status);
    }
    let _ = Address::ZERO;
}
