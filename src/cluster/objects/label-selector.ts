import * as z from "zod";

/** Source: metav1.LabelSelector. */
export const labelSelector = z.object({
  matchLabels: z.record(z.string(), z.string()).optional().describe("Labels that a node must have, with these values."),
  matchExpressions: z
    .array(
      z.object({
        key: z.string().describe("A label."),
        operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist"]).describe("What is asked of it."),
        values: z.array(z.string()).optional().describe("For In and NotIn."),
      }),
    )
    .optional()
    .describe("What else must hold of its labels."),
});
type LabelSelector = z.output<typeof labelSelector>;

type Labels = Readonly<Record<string, string>>;

/** As the API server would: an absent or empty selector matches everything. Source: apimachinery, LabelSelectorAsSelector. */
export function matchesLabels(selector: LabelSelector | undefined, labels: Labels): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector ?? {};
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      switch (operator) {
        case "In":
          return value !== undefined && values.includes(value);
        case "NotIn":
          return value === undefined || !values.includes(value);
        case "Exists":
          return value !== undefined;
        case "DoesNotExist":
          return value === undefined;
      }
    })
  );
}
