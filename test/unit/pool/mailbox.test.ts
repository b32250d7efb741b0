import { expect, test } from "@jest/globals";
import { Mailbox } from "../../../src/pool/mailbox.ts";

test("one turn after the other, however each ends, and what is urgent before all that wait", async () => {
  const mailbox = new Mailbox();
  const order: string[] = [];
  const open = Promise.withResolvers<undefined>();
  const turn =
    (name: string, wait: Promise<unknown> = Promise.resolve()) =>
    async (): Promise<string> => {
      order.push(`${name} begins`);
      await wait;
      order.push(`${name} ends`);
      if (name === "fails") throw new Error("no");
      return name;
    };
  const turns = [mailbox.run(turn("slow", open.promise)), mailbox.run(turn("fails")), mailbox.run(turn("last"))];
  expect(order).toEqual([]); // nobody's turn runs within the call that asks for it
  await Promise.resolve();
  await Promise.resolve();
  turns.push(mailbox.runNext(turn("urgent")));
  open.resolve(undefined);
  expect(await Promise.allSettled(turns)).toMatchObject([{ value: "slow" }, { reason: new Error("no") }, { value: "last" }, { value: "urgent" }]);
  const names = ["slow", "urgent", "fails", "last"];
  expect(order).toEqual(names.flatMap((name) => [`${name} begins`, `${name} ends`]));
});
