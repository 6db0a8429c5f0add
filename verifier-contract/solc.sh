#!/usr/bin/env bash
# The pinned solc of npm as the executable that forge expects.
here="$(cd "$(dirname "$0")" && pwd)"
if [ "$1" = "--version" ]; then
  exec node -e 'const s=require(process.argv[1]+"/node_modules/solc");console.log("solc, the solidity compiler commandline interface\nVersion: "+s.version().replace(".Emscripten.clang",""))' "$here"
fi
exec node -e '
const dir=process.argv[1], fs=require("fs"), path=require("path");
const solc=require(dir+"/node_modules/solc");
const read=(p)=>{for(const base of [dir,path.join(dir,"node_modules"),""]){try{return{contents:fs.readFileSync(path.join(base,p),"utf8")}}catch{}}return{error:"not found: "+p}};
console.log(solc.compile(fs.readFileSync(0,"utf8"),{import:read}));' "$here"
