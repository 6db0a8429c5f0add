use super::*;

/// Made by node.js's scrypt and AES and js-sha3's keccak, with the key, salt and vector of the format's
/// definition.
const KEYSTORE: &str = r#"{
    "crypto": {
        "cipher": "aes-128-ctr",
        "cipherparams": { "iv": "83dbcc02d8ccb40e466191a123791e0e" },
        "ciphertext": "91c23c03a8b5117a6e3d78dbb5dfc46f037aff9351dff59c2879586f51756502",
        "kdf": "scrypt",
        "kdfparams": {
            "dklen": 32, "n": 8192, "r": 8, "p": 1,
            "salt": "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19"
        },
        "mac": "8f8639fe08fe1f43d6c13006d66ad2d993c6674ee2ba03f025596797a73614b9"
    },
    "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
    "version": 3
}"#;
const KEY: &str = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";

fn open(keystore: &str, password: &str) -> Result<Wallet, L1Error> {
    let folder = tempfile::tempdir().unwrap();
    let (file, secret) = (folder.path().join("key.json"), folder.path().join("password"));
    std::fs::write(&file, keystore).unwrap();
    std::fs::write(&secret, password).unwrap();
    Wallet::keystore(&file, Password::File(&secret))
}

#[test]
fn a_keystore_opens_with_its_password_alone() {
    let known = Wallet::hex(KEY).unwrap();
    for password in ["testpassword", "testpassword\n", "testpassword\r\n"] {
        let wallet = open(KEYSTORE, password).unwrap();
        assert_eq!(wallet.address(), known.address());
        let hash = B256::repeat_byte(5);
        let signature = wallet.sign(&hash).unwrap();
        assert_eq!(signature.recover_address_from_prehash(&hash).unwrap(), known.address());
    }
    let error = open(KEYSTORE, "wrong-password").unwrap_err().to_string();
    assert!(error.contains("does not open with this password"), "{error}");
    assert!(!error.contains("wrong-password"), "{error}");
}

#[test]
fn a_keystore_that_is_not_one_is_refused_before_it_is_opened() {
    for (part, other) in [
        ("\"version\": 3", "\"version\": 2"),
        ("aes-128-ctr", "aes-256-gcm"),
        ("\"dklen\": 32", "\"dklen\": 8"),
        ("83dbcc02d8ccb40e466191a123791e0e", "83dbcc02"),
        ("91c23c03a8b5117a", "91c23c03a8b511"),
        ("\"n\": 8192", "\"n\": 4294967296"),
        ("\"n\": 8192", "\"n\": 8191"),
        ("\"n\": 8192", "\"n\": 18446744073709551615"),
        ("\"p\": 1", "\"p\": 0"),
        ("\"r\": 8", "\"r\": 0"),
        ("\"r\": 8", "\"r\": 1"),
        ("\"scrypt\"", "\"argon2\""),
        ("\"crypto\"", "\"other\""),
        ("\"id\"", "\"address\": \"0x0000000000000000000000000000000000000001\", \"id\""),
    ] {
        let changed = KEYSTORE.replace(part, other);
        assert_ne!(changed, KEYSTORE, "{part}");
        let error = open(&changed, "testpassword").unwrap_err();
        assert!(matches!(error, L1Error::Wallet { .. }), "{error}");
    }
    open("", "x").unwrap_err();
    open(&" ".repeat(1 << 17), "x").unwrap_err();
    let missing = Wallet::keystore(Path::new("/nowhere"), Password::Variable("BASTION_NOT_SET"));
    assert!(missing.unwrap_err().to_string().contains("BASTION_NOT_SET"));
}

#[test]
fn a_key_is_never_shown() {
    let wallet = Wallet::hex(&format!("0x{KEY}")).unwrap();
    assert_eq!(format!("{wallet:?}"), format!("Wallet({})", wallet.address()));
    for text in ["", "0x", &KEY[1..], &"0".repeat(64), &"f".repeat(64), &KEY.replace('7', "g")] {
        let error = Wallet::hex(text).unwrap_err().to_string();
        assert!(text.is_empty() || text == "0x" || !error.contains(text), "{error}");
    }
    assert!(Wallet::variable("BASTION_NOT_SET").is_err());
}
