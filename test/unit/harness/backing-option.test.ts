import { expect, test } from "@jest/globals";
import { backingOption } from "../../harness/backing-option.ts";

test.each([
  [["--backing", "directLvm"], { backing: "directLvm", args: [] }],
  [["--backing=devices", "-t", "name"], { backing: "devices", args: ["-t", "name"] }],
  [["volumes/care", "--backing", "directLvm", "--verbose"], { backing: "directLvm", args: ["volumes/care", "--verbose"] }],
  [["volumes/care"], { backing: undefined, args: ["volumes/care"] }],
  [[], { backing: undefined, args: [] }],
  [["--backing"], { refused: "--backing takes devices or directLvm." }],
  [["--backing", "loop"], { refused: '--backing takes devices or directLvm, not "loop".' }],
])("%j", (given, asked) => {
  expect(backingOption(given)).toEqual(asked);
});
