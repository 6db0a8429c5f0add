//! Files of transfers and operations as people have them. With a budget of 1 MiB an import that
//! succeeds ends with code 6, before any proof.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::fs;
use std::io::Write;
use std::process::{Output, Stdio};

use support::{address, code, program, row, stderr, ETH, HEADER};

fn prove(name: &str, content: &[u8], flags: &str) -> Output {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(name), content).unwrap();
    let mut command = program(dir.path());
    command.args(["prove", name, "--shape", "tiny", "--out", "out", "--memory", "1MiB"]);
    let output = command.args(flags.split_whitespace()).output().unwrap();
    assert!(!dir.path().join("out").exists());
    output
}

#[track_caller]
fn taken(output: &Output) {
    assert_eq!(code(output), 6, "{}", stderr(output));
}

#[track_caller]
fn refused(output: &Output, words: &[&str]) {
    let text = stderr(output);
    assert_eq!(code(output), 1, "{text}");
    for word in words {
        assert!(text.contains(word), "no `{word}`: {text}");
    }
}

fn csv(rows: &[&str]) -> String {
    format!("{HEADER}\n{}\n", rows.join("\n"))
}

const DEPOSIT: &str = r#"{"op":"deposit","token":0,"amount":"5","keyhash":"0x0000000000000000000000000000000000000000000000000000000000000007","exit":"0x0000000000000000000000000000000000000009"}"#;

#[test]
fn each_bad_row_is_refused_with_its_line_or_left_out() {
    let good = row(1, 2, 5);
    let pair = format!("{ETH},{},{}", address(1), address(2));
    let latin1 = [b"1,0,0,caf\xe9,", address(1).as_bytes(), b",x,5"].concat();
    let bad: Vec<(Vec<u8>, &str)> = vec![
        (row(0, 2, 5).into(), "zero address"),
        (row(1, 0, 5).into(), "zero address"),
        (row(1, 1, 5).into(), "itself"),
        (row(1, 2, 0).into(), "amount is 0"),
        ("1,0,0".into(), "3 fields"),
        (format!("1,,0,{pair},5").into(), "tx_index"),
        (format!("1,0,0,{pair},2e3").into(), "write 2000"),
        (format!("1,0,0,{pair},{}", "9".repeat(40)).into(), "2^128"),
        (latin1, "UTF-8"),
    ];
    for (bad, why) in bad {
        // Blank lines and a row over two lines before it.
        let start = format!("{HEADER}\r\n\r\n\r\n{good}\r\n\"1\r\n\",0,0,{}\r\n", &good[6..]);
        let file = [start.as_bytes(), &bad, b"\n"].concat();
        refused(&prove("rows.csv", &file, ""), &["line 7", why]);
        taken(&prove("rows.csv", &file, "--skip-invalid"));
        taken(&prove("rows.csv", &file, "--limit 2"));
    }
}

#[test]
fn columns_go_by_the_header_or_not_at_all() {
    let [from, to] = [address(1), address(2)];
    // The receiver is the zero address: were columns taken by position, it would be the sender.
    let swapped =
        format!("token,to,from,amount,block,tx_index,trace_index\n{ETH},{ETH},{from},5,1,0,0\n");
    refused(&prove("rows.csv", swapped.as_bytes(), ""), &["line 2", "cannot be left"]);
    let row = format!("1,0,0,{ETH},{to},{from},5\n");
    for (header, why) in [
        (&b"block,tx_index,trace_index,token,to,from,amount\xa0\n"[..], "UTF-8"),
        (b"block,tx_index,trace_index,token,to,from,value\n", "`value`"),
        (b"block,tx_index,trace_index,token,to,from\n", "`amount` is missing"),
        (b"", "header"),
    ] {
        let file = [header, row.as_bytes()].concat();
        for flags in ["", "--skip-invalid"] {
            refused(&prove("rows.csv", &file, flags), &["line 1", why]);
        }
    }
}

#[test]
fn each_bad_line_is_refused_with_its_number_or_left_out() {
    let nobody = DEPOSIT.replace(&address(9), &address(0));
    let nothing = DEPOSIT.replace("\"5\"", "\"0\"");
    let system = r#"{"op":"forced_exit","index":3,"token":0,"exit":"0x0000000000000000000000000000000000000009"}"#;
    let token = r#"{"op":"forced_exit","index":131072,"token":7,"exit":"0x0000000000000000000000000000000000000009"}"#;
    for (bad, why) in [
        (nobody.as_bytes(), "zero address"),
        (nothing.as_bytes(), "amount is 0"),
        (system.as_bytes(), "no user's"),
        (token.as_bytes(), "not registered"),
        (b"{\"op\":", "EOF"),
        (b"\"caf\xe9\"", "UTF-8"),
        (DEPOSIT.replace("\"token\":0", "\"token\":65536").as_bytes(), "65536"),
    ] {
        let file = [DEPOSIT.as_bytes(), b"", bad].join(&b'\n');
        refused(&prove("ops.jsonl", &file, ""), &["line 3", why]);
        taken(&prove("ops.jsonl", &file, "--skip-invalid"));
    }
}

#[test]
fn what_the_executor_refuses_late_is_left_out_too() {
    // A deposit, then a signed operation of an account that does not exist, and a good deposit.
    use bastion_protocol::keys::SecretKey;
    use bastion_protocol::ops::{Action, Body, Op};
    let body = Body {
        account: 7_000_000,
        token: 0,
        nonce: 0,
        deadline: 1 << 39,
        fee: 0,
        action: Action::Transfer { to: 1, amount: 1 },
    };
    let signed = body
        .sign(
            &SecretKey::from_seed(b"x"),
            bastion_protocol::Fr::from(1u64),
            bastion_protocol::Address([1; 20]),
        )
        .unwrap();
    let signed = serde_json::to_string(&Op::Signed(signed)).unwrap();
    let file = [DEPOSIT, &signed, DEPOSIT].join("\n");
    refused(&prove("ops.jsonl", file.as_bytes(), ""), &["line 2", "does not exist"]);
    taken(&prove("ops.jsonl", file.as_bytes(), "--skip-invalid"));
}

#[test]
fn the_kind_is_that_of_the_content_or_the_one_given() {
    let rows = csv(&[&row(1, 2, 5)]);
    let marked = |text: &str| [b"\xef\xbb\xbf", text.as_bytes()].concat();
    for (name, content) in [
        ("ROWS.CSV", rows.as_bytes().to_vec()),
        ("rows", rows.as_bytes().to_vec()),
        ("rows.csv", marked(&rows)),
        ("ops.jsonl", marked(DEPOSIT)),
        ("ops.csv", DEPOSIT.as_bytes().to_vec()),
    ] {
        taken(&prove(name, &content, ""));
    }
    refused(&prove("rows.csv", rows.as_bytes(), "--format jsonl"), &["line 1"]);
    refused(&prove("x.csv", DEPOSIT.as_bytes(), "--format csv"), &["line 1", "header"]);
    refused(&prove("x.jsonl", b"", ""), &["no operations"]);
    refused(&prove("x.csv", csv(&[]).as_bytes(), ""), &["no operations"]);
    let utf16: Vec<u8> =
        b"\xff\xfe".iter().copied().chain(rows.bytes().flat_map(|b| [b, 0])).collect();
    refused(&prove("rows.csv", &utf16, ""), &["UTF-16"]);
}

#[test]
fn an_input_that_cannot_be_read_is_told_as_such_and_a_pipe_can() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("folder.csv")).unwrap();
    let args = ["--shape", "tiny", "--out", "out", "--memory", "1MiB"];
    let output = program(dir.path()).args(["prove", "folder.csv"]).args(args).output().unwrap();
    refused(&output, &["folder.csv", "directory"]);
    let mut child = program(dir.path())
        .args(["prove", "-"])
        .args(args)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let rows = csv(&[&row(1, 2, 5)]);
    child.stdin.take().unwrap().write_all(rows.as_bytes()).unwrap();
    taken(&child.wait_with_output().unwrap());
}
