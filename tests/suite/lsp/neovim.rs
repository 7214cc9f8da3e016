//! The server in a real editor: Neovim, without a window, where it is installed.

use crate::cli::sandbox::{AFTER, BEFORE, Sandbox};

/// Attaches the server, waits for its diagnostics, makes all safe fixes and saves.
const SCRIPT: &str = r#"
local file = vim.fn.getcwd() .. '/Dockerfile'
vim.cmd('edit ' .. file)
local id = vim.lsp.start_client({ cmd = { vim.env.DOCKEROPT, 'lsp' }, root_dir = vim.fn.getcwd() })
vim.bo.filetype = 'dockerfile'
vim.lsp.buf_attach_client(0, id)
local function found() return vim.diagnostic.get(0) end
if not vim.wait(60000, function() return #found() > 0 end, 20) then
  io.stdout:write('no diagnostics\n')
  vim.cmd('cquit 3')
end
for _, one in ipairs(found()) do
  io.stdout:write(one.lnum + 1, ': ', one.severity, ' ', one.source, ' ', one.user_data and one.user_data.lsp.code or one.code, '\n')
end
local client = vim.lsp.get_client_by_id(id)
local params = vim.lsp.util.make_range_params()
params.context = { diagnostics = {}, only = { 'source.fixAll' } }
local answers = vim.lsp.buf_request_sync(0, 'textDocument/codeAction', params, 60000)
for _, action in ipairs(answers[id].result) do
  io.stdout:write(action.title, '\n')
  vim.lsp.util.apply_workspace_edit(action.edit, client.offset_encoding)
end
vim.cmd('write')
vim.cmd('quit')
"#;

#[test]
fn neovim_shows_findings_and_makes_all_safe_fixes() {
    // A wide character before the change, and the line endings of Windows.
    let windows = |text: &str| {
        text.replace("FROM", "# \u{1f600}é\nFROM")
            .replace('\n', "\r\n")
    };
    let files = [("requirements.txt", "flask\n"), ("script.lua", SCRIPT)];
    let sandbox = Sandbox::with(&files);
    sandbox.write("Dockerfile", windows(BEFORE));
    let args = ["--headless", "--clean", "-c", "luafile script.lua"];
    let Some(ran) = sandbox.other("nvim", &args, b"") else {
        return;
    };
    let ran = ran.ended(0);
    assert!(
        ran.out.contains("3: 2 dockeropt copy-not-add\n"),
        "{ran:#?}"
    );
    assert!(
        ran.out.contains("4: 3 dockeropt apt-no-recommends\n"),
        "{ran:#?}"
    );
    assert!(
        ran.out.contains("Make all safe fixes (dockeropt)\n"),
        "{ran:#?}"
    );
    assert_eq!(sandbox.text("Dockerfile"), windows(AFTER));
}
